// Calls from the edge to services.
#pragma once

#include "edge/context.hpp"
#include "schemas/json.hpp"

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

/// A question to a service that may run as several instances; it changes nothing. Sent at once, perhaps together with others of this loop turn. The
/// instance that gets it has half of the time: one that hangs or has died stays in its queue group until the broker notices, so after silence
/// it is asked once more. `edge` must outlive it.
class question
{
public:
    question(edge_context& edge, const routed_call& call, subject to, deadline until, std::string payload = {},
             header_list headers = {});

    /// Waits for the answer. Call once. Fails as await_answer does.
    [[nodiscard]] asio::awaitable<result<message>> answer();

private:
    edge_context& edge_;
    subject to_;
    deadline until_;
    std::string payload_;
    header_list headers_;
    pending_reply first_;
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
