#include "broker/nats/publisher.hpp"

#include "broker/base/wait.hpp"
#include "broker/nats/jetstream_prefix.hpp"

#include <algorithm>
#include <utility>

namespace marquee::detail
{

publisher::publisher(asio::io_context& io, nats_link& link, spent_messages& spent, const connection_options& options)
    : link_(link), spent_(spent), jetstream_prefix_(options.jetstream_prefix), send_patience_(options.send_patience),
      queue_(options.send_room), expiry_(io), sent_(io)
{
}

result<void> publisher::check(const std::string& to, const header_list& headers, const std::string& reply) const
{
    if (!link_.up())
        return fail(errc::disconnected);
    if (to.empty() || !is_wire_safe(to) || !is_wire_safe(reply) || !is_wire_safe(headers))
        return fail(errc::bad_request, "a subject or header that cannot be put on the wire");
    return {};
}

result<void> publisher::publish(const std::string& to, std::string_view payload, const header_list& headers,
                                const std::string& reply)
{
    if (auto checked = check(to, headers, reply); checked.has_error())
        return checked;
    if (!has_room())
        return fail(errc::overloaded, "too much is waiting to be sent to the broker");
    return put(to, payload, headers, reply);
}

/// The event loop writes once per turn. A turn that produces more than the buffer holds writes
/// earlier.
bool publisher::has_room()
{
    if (!queue_.empty())
        return false;
    if (natsConnection_Buffered(link_.get()) <= max_buffered)
        return true;
    link_.write_now();
    return natsConnection_Buffered(link_.get()) <= max_buffered;
}

result<void> publisher::put(const std::string& to, std::string_view payload, const header_list& headers,
                            const std::string& reply)
{
    if (jetstream_prefix_.empty() || !has_jetstream_prefix(to))
        return put_at(to.c_str(), payload, headers, reply);
    return put_at(with_jetstream_prefix(to, jetstream_prefix_).c_str(), payload, headers, reply);
}

result<void> publisher::put_at(const char* to, std::string_view payload, const header_list& headers,
                               const std::string& reply)
{
    natsStatus s = NATS_OK;
    if (!headers.empty())
    {
        auto msg = make_nats_message(to, reply.empty() ? nullptr : reply.c_str(), payload, headers);
        s = msg ? natsConnection_PublishMsg(link_.get(), msg.get()) : NATS_NO_MEMORY;
        if (msg)
            spent_.add(std::move(msg));
    }
    else if (reply.empty())
        s = natsConnection_Publish(link_.get(), to, payload.data(), static_cast<int>(payload.size()));
    else
        s = natsConnection_PublishRequest(link_.get(), to, reply.c_str(), payload.data(),
                                          static_cast<int>(payload.size()));
    if (s == NATS_OK)
        return {};
    if (s == NATS_MAX_PAYLOAD)
        return fail(errc::payload_too_large, "the message is larger than the broker takes");
    return fail(errc::disconnected, natsStatus_GetText(s));
}

result<void> publisher::publish_later(const std::string& to, std::string_view payload, const header_list& headers,
                                      const std::string& reply, deadline until, unsent_handler unsent)
{
    if (auto checked = check(to, headers, reply); checked.has_error())
        return checked;
    if (std::cmp_greater(payload.size(), natsConnection_GetMaxPayload(link_.get())))
        return fail(errc::payload_too_large, "the message is larger than the broker takes");
    const auto half = until.remaining() / 2;
    const auto patience = deadline::in(payload.size() < send_queue::small ? half : std::min(send_patience_, half));
    const bool first = queue_.empty();
    if (!queue_.add({to, std::string(payload), headers, reply, patience.at(), std::move(unsent)}))
    {
        ++unsent_;
        return fail(errc::overloaded, "too much is waiting to be sent to the broker");
    }
    ++queued_;
    if (first)
        expire_later();
    return {};
}

void publisher::send_queued()
{
    if (queue_.empty())
        return;
    while (link_.up() && !queue_.empty() && natsConnection_Buffered(link_.get()) <= max_buffered)
    {
        const auto one = queue_.next();
        auto sent = put(one.to, one.payload, one.headers, one.reply);
        if (sent.has_error() && one.unsent)
            one.unsent(sent.error());
    }
    if (queue_.empty())
        sent_.cancel();
}

void publisher::expire_later()
{
    expiry_.expires_after(expiry_tick);
    expiry_.async_wait(
        [this, alive = std::weak_ptr(alive_)](boost::system::error_code ec)
        {
            if (ec || alive.expired())
                return;
            fail_all(queue_.take_expired(send_queue::clock::now()),
                     fail(errc::overloaded, "the broker took too little in time"));
            if (!queue_.empty())
                expire_later();
        });
}

void publisher::fail_all(std::vector<send_queue::item> messages, const error& why)
{
    unsent_ += messages.size();
    for (const auto& one : messages)
        if (one.unsent)
            one.unsent(why);
    if (queue_.empty())
        sent_.cancel();
}

asio::awaitable<void> publisher::wait_until_sent(deadline until)
{
    while (!queue_.empty() && !until.passed())
        co_await wait(sent_, until);
}

} // namespace marquee::detail
