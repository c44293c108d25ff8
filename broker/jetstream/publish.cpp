#include "broker/jetstream/publish.hpp"

#include "broker/base/fault_injection.hpp"
#include "broker/base/wait.hpp"
#include "broker/jetstream/jetstream_api.hpp"
#include "schemas/messages.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace marquee
{
namespace
{

constexpr auto pause_before_republish = std::chrono::milliseconds(20);

asio::awaitable<void> pause(std::chrono::milliseconds time)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await wait(timer);
}

} // namespace

asio::awaitable<result<stored_event>> publish_stored(requester& nats, subject to, std::string payload,
                                                     std::string message_id, deadline until, header_list headers)
{
    if (!message_id.empty() && !fault_injected("no_message_id"))
        headers.set(names::header_msg_id, message_id);
    for (;;)
    {
        auto pending = nats.request(to, payload, headers, until);
        if (fault_injected("ack_before_stored"))
            co_return stored_event{1, false};
        auto reply = co_await pending.receive();
        if (reply.has_error())
            co_return reply.error();
        auto ack = decode_reply<pub_ack>(reply->data);
        if (ack.has_error())
            co_return ack.error();
        if (ack->error && js_error::is_wrong_sequence(ack->error->err_code.value_or(0)))
            co_return fail(errc::revision_mismatch, ack->error->description.value_or(""));
        if (ack->error && js_error::is_leaderless(ack->error->err_code.value_or(0)))
            co_return fail(errc::no_responders, ack->error->description.value_or(""));
        if (ack->error)
            co_return fail(errc::unavailable, ack->error->description.value_or("JetStream refused the message"));
        if (ack->seq.value_or(0) > 0 || fault_injected("ack_without_sequence"))
        {
            stored_event stored;
            stored.sequence = ack->seq.value_or(0);
            stored.duplicate = ack->duplicate.value_or(false);
            co_return stored;
        }
        if (message_id.empty() || !ack->duplicate.value_or(false))
            co_return fail(errc::malformed_reply, "an acknowledgement without a sequence");
        // A cluster answers "duplicate" without a sequence while the first copy is not stored yet,
        // and that copy may never be stored.
        co_await pause(pause_before_republish);
    }
}

} // namespace marquee
