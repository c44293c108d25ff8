// The NATS Services protocol (ADR-32): endpoints, discovery, statistics.
#pragma once

#include "broker/connection.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// A request as a handler sees it.
struct service_request
{
    message msg;
    deadline until;              ///< from `Marquee-Timeout`, at most `service_config::max_timeout`
    bool deadline_named = false; ///< false: there was no `Marquee-Timeout`
};

/// What a handler answers. A failed result becomes an error reply: headers `Nats-Service-Error` and `Nats-Service-Error-Code`, body
/// error_reply. `error.detail` goes into the body.
struct service_reply
{
    std::string data;
    header_list headers;
    bool changed = false; ///< something was changed, though the endpoint is none that changes: a bundle with a change in it
};

/// A failure to answer with, and the id it is about, if any.
struct service_error
{
    error what;
    std::string id;
    service_error() = default;
    service_error(error e) : what(std::move(e)) {} // NOLINT(google-explicit-constructor): lets a handler return fail(…)
    service_error(error e, std::string about) : what(std::move(e)), id(std::move(about)) {}
};

using service_result = boost::system::result<service_reply, service_error>;
[[noreturn]] void throw_exception_from_error(const service_error& e, const boost::source_location& where);

/// Handlers run concurrently; each is started on the io thread and given its request by value. An exception out of a handler is logged and
/// answered with 500.
using service_handler = std::function<asio::awaitable<service_result>(service_request)>;

/// What can be answered without waiting for anything, is: on the io thread, at once. Nothing: this request has to wait, and is the handler's.
using immediate_handler = std::function<std::optional<service_result>(const service_request&)>;

struct endpoint_config
{
    std::string name;          ///< [A-Za-z0-9_-]+
    std::string subject;       ///< may hold wildcards
    service_handler handler;   ///< may be empty where `at_once` answers everything
    immediate_handler at_once; ///< asked first; may be empty
    std::map<std::string, std::string> metadata;
    bool change = false;       ///< it changes something: carried out without a reply subject too, but not without time
    bool takes_payload = true; ///< false: a change whose request is empty
    std::size_t max_in_flight =
        1024; ///< beyond it requests that have to wait are answered with 503 "overloaded", counted as errors
    std::function<boost::json::value()> data; ///< members of `data` in STATS, an object
};

struct service_config
{
    std::string name;    ///< [A-Za-z0-9_-]+
    std::string version; ///< SemVer
    std::string description;
    std::map<std::string, std::string> metadata;
    std::string queue_group = "q";
    std::chrono::milliseconds max_timeout{30000};
    bool bundles = false; ///< answer `<name>.many`: several requests in one message (broker/bundle.hpp)
    bool serving = true;  ///< join the queue group at once; else set_serving(true) does
};

/// A running service. Lives on the connection's io thread.
class service
{
public:
    /// A request whose reply subject is no inbox (connection::is_inbox) is not carried out, and one without a reply subject only where it is a change
    /// that was published on purpose. A reply that finds no room to be sent waits a bounded time; then the requester is told `overloaded`. All of it
    /// is counted, in `data` of STATS.
    ///
    /// Subscribes the nine `$SRV` subjects (plain) and the endpoints (queue group). Fails with bad_request on an invalid name or version, else
    /// as connection::subscribe does.
    [[nodiscard]] static result<std::unique_ptr<service>> start(connection& nats, service_config config,
                                                                std::vector<endpoint_config> endpoints);

    virtual ~service() = default;

    [[nodiscard]] virtual const std::string& id() const noexcept = 0;

    /// Leaves or joins the queue group: an instance that is not ready answers `$SRV` only. See service_config::serving.
    virtual result<void> set_serving(bool serving) = 0;

    /// ADR-32 documents, as sent.
    [[nodiscard]] virtual boost::json::value info() const = 0;
    [[nodiscard]] virtual boost::json::value stats() const = 0;
    virtual void reset() = 0;

    /// Drains: no new requests, those accepted are answered, the answers flushed. Bounded by `until`.
    virtual asio::awaitable<void> stop(deadline until) = 0;
};

} // namespace marquee
