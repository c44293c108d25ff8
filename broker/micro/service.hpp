// The NATS Services protocol (ADR-32): endpoints, discovery, statistics.
#pragma once

#include "broker/base/instance_id.hpp"
#include "broker/nats/connection.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// A request to an endpoint.
struct service_request
{
    message msg;
    deadline until;              ///< from `Marquee-Timeout`, at most `service_config::max_timeout`
    bool deadline_named = false; ///< whether there was a `Marquee-Timeout`
};

/// A successful reply. A failure becomes an error reply instead: headers `Nats-Service-Error` and
/// `Nats-Service-Error-Code` (ADR-32), and the body error_reply with `error.detail`.
struct service_reply
{
    std::string data;
    header_list headers;
    bool changed = false; ///< a bundle with a change in it; see endpoint_config::change
};

/// A failure, and the id it is about, if any.
struct service_error
{
    error what;
    std::string id;
    service_error() = default;
    service_error(error e) : what(std::move(e)) {} // NOLINT(google-explicit-constructor): for `return fail(…)`
    service_error(error e, std::string about) : what(std::move(e)), id(std::move(about)) {}
};

using service_result = boost::system::result<service_reply, service_error>;
[[noreturn]] void throw_exception_from_error(const service_error& e, const boost::source_location& where);

/// Answers a request that has to wait. Handlers run concurrently, as coroutines on the io thread.
/// An exception is logged and answered with 500.
using service_handler = std::function<asio::awaitable<service_result>(service_request)>;

/// Answers a request without waiting, on the io thread. Nothing: the request has to wait, and the
/// service_handler answers it.
using immediate_handler = std::function<std::optional<service_result>(const service_request&)>;

/// One endpoint of a service.
struct endpoint_config
{
    std::string name;          ///< [A-Za-z0-9_-]+
    std::string subject;       ///< may have wildcards
    service_handler handler;   ///< may be empty if `at_once` answers everything
    immediate_handler at_once; ///< called first; may be empty
    std::map<std::string, std::string> metadata;
    bool change = false;       ///< carried out without a reply subject too; never after the deadline
    bool long_poll = false;    ///< waits for something to happen: never a slow request
    bool takes_payload = true; ///< false: a change whose request must be empty
    /// Requests that wait in `handler`; beyond it they are answered with 503 "overloaded".
    std::size_t max_in_flight = 1024;
    std::function<boost::json::value()> data; ///< makes `data` of STATS, an object; may be empty
};

/// A service.
struct service_config
{
    std::string name;                    ///< [A-Za-z0-9_-]+
    std::string id = make_instance_id(); ///< of the instance; [0-9A-Za-z]+
    std::string version;                 ///< SemVer
    std::string description;
    std::map<std::string, std::string> metadata;
    std::string queue_group = "q";
    std::chrono::milliseconds max_timeout{30000};
    bool bundles = false;       ///< serve `NAME.many`: several requests in one message (broker/micro/bundle.hpp)
    bool named_replies = false; ///< each reply message carries `Marquee-Instance`: the id of the instance
    bool serving = true;        ///< join the queue group in start(); else set_serving(true) does
};

/// A running service (ADR-32). Members and handlers are called on the connection's io thread. The
/// connection must outlive it.
class service
{
public:
    /// Subscribes to the nine `$SRV` subjects and, in the queue group, to the endpoints. Fails with
    /// bad_request if a name or the version is invalid, else as connection::subscribe() does.
    ///
    /// A request whose reply subject is no inbox (connection::is_inbox()) is not carried out, and
    /// one without a reply subject only if it is a change that was published on purpose. A reply
    /// that finds no room to be sent waits for a bounded time, and then becomes the error
    /// `overloaded`. All of these are counted in `data` of STATS.
    [[nodiscard]] static result<std::unique_ptr<service>> start(connection& nats, service_config config,
                                                                std::vector<endpoint_config> endpoints);

    virtual ~service() = default;

    /// The random id of this instance.
    [[nodiscard]] virtual const std::string& id() const noexcept = 0;

    /// Joins or leaves the queue group. Outside it the instance answers `$SRV` only. Fails as
    /// connection::subscribe() does; it then joins when the link is up again.
    virtual result<void> set_serving(bool serving) = 0;

    /// The documents of `$SRV.INFO` and `$SRV.STATS`.
    [[nodiscard]] virtual boost::json::value info() const = 0;
    [[nodiscard]] virtual boost::json::value stats() const = 0;

    /// Resets the statistics.
    virtual void reset() = 0;

    /// Drains: unsubscribes, answers the requests that were received, flushes. Bounded by `until`.
    virtual asio::awaitable<void> stop(deadline until) = 0;
};

/// Adds `spans_exported` and `spans_dropped` to `data` of STATS, while spans are exported.
void add_span_counts(boost::json::object& data);

} // namespace marquee
