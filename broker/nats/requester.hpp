// Request/reply as the application sees it: send now, wait later. Tests script replies with
// tests/support/fake_requester.hpp.
#pragma once

#include "broker/base/deadline.hpp"
#include "broker/nats/message.hpp"
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

/// The outcome of one request, which may still be to come. Copies share it: the sender receives it,
/// and what carries the request settles it. Single-threaded, on the executor of the constructor.
class pending_reply
{
public:
    using outcome_handler = std::function<void(result<message>)>;

    explicit pending_reply(asio::any_io_executor executor);

    /// Sets the outcome; the second call and later ones do nothing. A coroutine in receive()
    /// resumes through a post, never inside this call.
    void settle(result<message> outcome) const;

    [[nodiscard]] bool settled() const noexcept;

    /// Waits for the outcome. Call at most one of receive() and on_settled(), once. The wait is
    /// bounded: what carries the request settles it at its deadline.
    [[nodiscard]] asio::awaitable<result<message>> receive() const;

    /// Calls `handler` with the outcome, inside settle(), or at once if it is settled already. For
    /// code between a connection and the one who waits: it costs no turn of the loop.
    void on_settled(outcome_handler handler) const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

/// Sends requests that one responder answers.
class requester
{
public:
    virtual ~requester() = default;

    /// Publishes a request at once and returns without waiting, so that two requests run in
    /// parallel when both are sent before either reply is received. The outcome is the reply, or
    /// no_responders (within milliseconds), disconnected (also for requests in flight when the link
    /// is lost), overloaded (too much is buffered towards the broker; nothing was sent), timeout
    /// (at `until`). An error reply of a service (`Nats-Service-Error-Code`, ADR-32) is the failure
    /// that errc_from_service() names, with the service's `detail`. On the connection's io thread.
    [[nodiscard]] virtual pending_reply request(const subject& to, std::string_view payload, const header_list& headers,
                                                deadline until) = 0;

    /// Publishes a message whose answer comes from one who reads it later, such as the consumer of
    /// a stream. Equivalent to request(), but the inbox stands in the header `inbox_header`, and
    /// the message has no reply subject: nobody else replies, and no_responders is not noticed.
    [[nodiscard]] virtual pending_reply request_by_header(const subject& to, std::string_view payload,
                                                          header_list headers, std::string_view inbox_header,
                                                          deadline until) = 0;
};

/// Sends requests that any number of responders answer, such as those of service discovery
/// (ADR-32). On the connection's io thread.
class multi_requester
{
public:
    using reply_handler = std::function<void(result<message>)>;

    virtual ~multi_requester() = default;

    /// Publishes a request and calls `handler` for each reply until the returned handle is
    /// destroyed: with the reply, or with a failure (no_responders; disconnected when the link is
    /// lost; the error of an error reply). Replies that come later are dropped and not counted as
    /// late. Fails as connection::publish() does.
    [[nodiscard]] virtual result<std::shared_ptr<void>> ask_all(const subject& to, reply_handler handler) = 0;
};

/// Returns the reply, or the failure that its headers name: no responders (ADR-4), a service error
/// (ADR-32), malformed_reply where they cannot be read.
[[nodiscard]] result<message> interpret_reply(message reply);

/// Sends a request to a service: requester::request() with `Marquee-Timeout` (what is left of
/// `until`, whole milliseconds) added to `headers`.
[[nodiscard]] pending_reply call_service(requester& nats, const subject& to, std::string_view payload,
                                         header_list headers, deadline until);

} // namespace marquee
