// Request/reply as the application sees it: send now, wait later. Tests script it (tests/support/fake_requester.hpp).
#pragma once

#include "broker/deadline.hpp"
#include "broker/message.hpp"
#include "schemas/subjects.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

namespace asio = boost::asio;

/// A reply that will come: shared between the one who waits and the one who answers. Single-threaded: everything happens on the
/// executor given at construction.
class pending_reply
{
public:
    explicit pending_reply(asio::any_io_executor executor);

    /// Settles the request; the second call and later ones do nothing. The waiter resumes through a post, never inside this call.
    void settle(result<message> outcome) const;

    [[nodiscard]] bool settled() const noexcept;

    /// Waits for the reply. Call once. Bounded because whoever made the pending_reply settles it by its deadline.
    [[nodiscard]] asio::awaitable<result<message>> receive() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

class requester
{
public:
    virtual ~requester() = default;

    /// Publishes a request at once and returns without waiting, so that two lookups run in parallel by sending both before
    /// receiving either. The outcome is the reply, or: no_responders (within milliseconds), disconnected (also for requests in flight
    /// when the link drops), overloaded (too much is buffered towards the broker; nothing was sent), timeout (at `until`).
    /// A reply that carries `Nats-Service-Error-Code` is a failure: see errc_from_service; `detail` is the service's.
    /// Call on the connection's io thread only.
    [[nodiscard]] virtual pending_reply request(const subject& to, std::string_view payload, const header_list& headers,
                                                deadline until) = 0;
};

/// Requests that any number may answer, such as those of the NATS Services protocol. On the connection's io thread only.
class survey
{
public:
    using reply_handler = std::function<void(result<message>)>;

    virtual ~survey() = default;

    /// Publishes a request and calls `handler` for each reply, until what this returns is destroyed. A reply that tells of a failure is that
    /// failure: no_responders when nobody listens, disconnected when the link drops. Replies that come later are dropped and not counted
    /// as late. Fails as connection::publish does.
    [[nodiscard]] virtual result<std::shared_ptr<void>> ask_all(const subject& to, reply_handler handler) = 0;
};

/// What a reply means: itself, or the failure its headers tell of (no responders, ADR-4; an error of a service, ADR-32).
[[nodiscard]] result<message> interpret_reply(message reply);

/// Sends and waits. `headers` gains `Marquee-Timeout` (what is left of `until`, whole milliseconds): use this for services.
[[nodiscard]] pending_reply call_service(requester& nats, const subject& to, std::string_view payload, header_list headers,
                                         deadline until);

} // namespace marquee
