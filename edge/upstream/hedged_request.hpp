// A request from the edge to a service, with hedging, retry and circuit breaker.
#pragma once

#include "broker/telemetry/span.hpp"
#include "edge/upstream/service_client.hpp"
#include "edge/upstream/ticker.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// How a request is sent, and whether it may be sent again.
enum class sending : std::uint8_t
{
    bundled, ///< a lookup: may share a message with others of this loop turn; may be sent again
    alone,   ///< a lookup with a large or slow reply: in a message of its own; may be sent again
    once,    ///< a change: in a message of its own, never sent again
};

/// One request to a service that may run as several instances; sent by the constructor.
///
/// A lookup is sent a second time if the service's retry budget allows it, and the first reply
/// counts: after half of the time left, because an instance that hangs stays in its queue group
/// until the broker notices; and 100 ms after no_responders, because an instance may be restarting.
/// While the service's circuit is open a lookup is refused with errc::unavailable.
///
/// A change is sent exactly once, whatever the state of the circuit. If the link is lost or the
/// deadline passes after it was sent, the error is errc::outcome_unknown.
///
/// Lives on the io thread of its client, which outlives it. Destroying it before the reply abandons
/// the request.
class hedged_request
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
{
public:
    using clock = deadline::clock;

    /// The parts of the HTTP request that its requests to services carry.
    struct call
    {
        std::string_view request_id;          ///< for the header; copied
        deadline until;                       ///< for both attempts
        const trace_context* trace = nullptr; ///< whose child the request is; null: it is not traced
    };

    /// Sends the request, unless refused() says otherwise.
    hedged_request(service_client& client, upstream_service service, subject to, call of,
                   sending how = sending::bundled, std::string payload = {}, header_list headers = {});
    ~hedged_request();
    hedged_request(const hedged_request&) = delete;
    hedged_request& operator=(const hedged_request&) = delete;

    /// The error of a lookup that was not sent because the circuit is open, which receive() returns
    /// too; nothing if the request was sent.
    [[nodiscard]] std::optional<error> refused() const;

    /// Waits for the reply; call once. Fails as requester::request does; with malformed_reply if a
    /// service replies with an error that only the edge may give (error_traits::origin::edge).
    [[nodiscard]] asio::awaitable<result<message>> receive();

    /// Its span, while it waits; for what it is also done for.
    [[nodiscard]] span& trace() noexcept { return trace_; }

private:
    friend class hedge_timer;

    [[nodiscard]] bool is_slow(clock::time_point now) const noexcept { return now >= slow_at_; }
    void send_hedge(const asio::any_io_executor& on);
    [[nodiscard]] asio::awaitable<result<message>> receive_lookup();
    [[nodiscard]] asio::awaitable<result<message>> receive_change();
    [[nodiscard]] asio::awaitable<result<message>> send_after(std::chrono::milliseconds pause);
    void begin_span(const call& of);
    void end_span(const result<message>& reply);
    void conclude(const result<message>& reply);

    service_client& client_;
    service_health& health_;
    subject to_;
    deadline until_;
    std::string payload_;
    header_list headers_;
    sending how_;
    clock::time_point sent_at_;
    clock::time_point slow_at_;
    service_health::permit permit_ = service_health::permit::granted;
    bool second_attempt_ = false; ///< it was due, whether or not the budget allowed it
    bool sent_again_ = false;
    bool concluded_ = false;
    span trace_;                         ///< of both attempts, which are one request to who waits
    std::optional<pending_reply> first_; ///< nothing if the request was refused
};

/// Sends a second attempt for the lookups of one io thread that have used half of their time. Used
/// on that thread only.
class hedge_timer
{
public:
    static constexpr std::chrono::milliseconds tick{10}; ///< precision of a hedge

    explicit hedge_timer(asio::io_context& io) : ticker_(io, tick, [this] { return hedge_slow_ones(); }) {}

    /// Watches a lookup until it is answered, hedged or destroyed.
    void add(hedged_request& one);

private:
    [[nodiscard]] bool hedge_slow_ones();

    boost::intrusive::list<hedged_request, boost::intrusive::constant_time_size<false>> waiting_;
    ticker ticker_;
};

} // namespace marquee
