// Calls from the edge to services.
#pragma once

#include "edge/context.hpp"
#include "schemas/json.hpp"

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

/// Sends a request with the call's deadline and request id, by itself and at once; `headers` may carry more.
[[nodiscard]] pending_reply send_call(edge_context& edge, const routed_call& call, const subject& to,
                                      std::string_view payload = {}, header_list headers = {});

/// Waits for the reply to a question that changes nothing. A service has no word in the client's HTTP: failures that only the edge may find
/// (credentials, routes, framing) become malformed_reply.
[[nodiscard]] asio::awaitable<result<message>> await_answer(pending_reply pending);

/// How a question travels.
enum class company : std::uint8_t
{
    any,  ///< perhaps together with others of this loop turn
    none, ///< by itself: its answer may be large
};

/// A question to a service that may run as several instances; it changes nothing. Sent at once. It may be asked once more, as far as the service's
/// retry budget goes, and then the first answer counts: after half of the time, for an instance that hangs or has died stays in its queue group until
/// the broker notices; and soon after nobody listened, for somebody may be back. A service that keeps failing is not asked: errc::unavailable. `edge` must outlive it.
class question : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
{
public:
    using clock = deadline::clock;

    question(edge_context& edge, const routed_call& call, subject to, deadline until, std::string payload = {},
             header_list headers = {}, company with = company::any);
    ~question();
    question(const question&) = delete;
    question& operator=(const question&) = delete;

    /// It was not even sent: the service keeps failing. What answer() says then.
    [[nodiscard]] std::optional<error> refused() const;

    /// Waits for the answer. Call once. Fails as await_answer does.
    [[nodiscard]] asio::awaitable<result<message>> answer();

    /// Has it waited so long that another instance should be asked?
    [[nodiscard]] bool is_slow(clock::time_point now) const noexcept { return now >= slow_at_; }

    /// Asks again by itself, for its company may be what silenced it, and lets the first answer win.
    void ask_beside(const asio::any_io_executor& on);

private:
    [[nodiscard]] asio::awaitable<result<message>> ask_after(std::chrono::milliseconds pause);
    void conclude(const result<message>& reply);

    edge_context& edge_;
    service_health& service_;
    subject to_;
    deadline until_;
    std::string payload_;
    header_list headers_;
    clock::time_point asked_at_;
    clock::time_point slow_at_;
    service_health::permit permit_;
    bool asked_again_ = false;
    bool concluded_ = false;
    std::optional<pending_reply> first_; ///< none: refused
};

/// The questions of a thread that wait for a first answer, and the clock that finds those that have become slow. Everything on the io thread.
class waiting_questions
{
public:
    static constexpr std::chrono::milliseconds tick{10};

    explicit waiting_questions(asio::io_context& io) : timer_(io) {}

    /// Until it is answered, asked again or gone.
    void add(question& one);

private:
    void wait();
    void look();

    boost::intrusive::list<question, boost::intrusive::constant_time_size<false>> all_;
    asio::steady_timer timer_;
    bool ticking_ = false;
};

/// await_answer for a change. Once it was sent, a lost link or a passed deadline leaves open what happened: outcome_unknown.
[[nodiscard]] asio::awaitable<result<message>> await_change(pending_reply pending);

/// Reads a reply that speaks of one id. Fails with malformed_reply also where it speaks of another one.
template <class T>
[[nodiscard]] result<T> decode_reply_about(std::string_view json, std::string_view id)
{
    auto reply = decode_reply<T>(json);
    if (reply.has_value() && reply->id != id)
        return fail(errc::malformed_reply, "the reply is about something else", "id");
    return reply;
}

} // namespace marquee
