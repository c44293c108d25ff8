#include "broker/nats/subscription_list.hpp"

#include <algorithm>
#include <utility>

namespace marquee::detail
{

namespace
{

constexpr int pending_bytes_limit = 64 << 20; // per subscription

std::uint64_t dropped_by(natsSubscription* sub)
{
    std::int64_t dropped = 0;
    return sub != nullptr && natsSubscription_GetDropped(sub, &dropped) == NATS_OK ? static_cast<std::uint64_t>(dropped)
                                                                                   : 0;
}

natsSubscription* raw_of(const std::shared_ptr<subscription>& sub)
{
    return static_cast<nats_subscription*>(sub.get())->get();
}

} // namespace

nats_subscription::nats_subscription(subscription_settings settings, connection::message_handler handler,
                                     std::shared_ptr<std::uint64_t> dropped)
    : settings_(std::move(settings)), handler_(std::move(handler)), dropped_(std::move(dropped))
{
}

natsStatus nats_subscription::join(natsConnection* nc)
{
    natsSubscription* raw = nullptr;
    const auto s =
        settings_.queue_group.empty()
            ? natsConnection_SubscribeSync(&raw, nc, settings_.pattern.c_str())
            : natsConnection_QueueSubscribeSync(&raw, nc, settings_.pattern.c_str(), settings_.queue_group.c_str());
    if (s != NATS_OK)
        return s;
    raw_.reset(raw);
    return natsSubscription_SetPendingLimits(raw, settings_.pending_limit, pending_bytes_limit);
}

void nats_subscription::leave()
{
    *dropped_ += dropped_by(raw_.get());
    raw_.reset();
}

result<std::shared_ptr<subscription>> subscription_list::add(natsConnection* nc, subscription_settings settings,
                                                             connection::message_handler handler)
{
    if (settings.pattern.empty() || !is_wire_safe(settings.pattern) || !is_wire_safe(settings.queue_group))
        return fail(errc::bad_request, "a subject that cannot be subscribed");
    auto made = std::make_shared<nats_subscription>(std::move(settings), std::move(handler), dropped_);
    if (const auto s = made->join(nc); s != NATS_OK)
        return fail(errc::disconnected, natsStatus_GetText(s));
    all_.push_back(made);
    return std::shared_ptr<subscription>(made);
}

natsStatus subscription_list::join_all(natsConnection* nc)
{
    auto s = NATS_OK;
    for (std::size_t i = 0; s == NATS_OK && i < all_.size(); ++i)
        if (const auto sub = all_[i].lock())
            s = sub->join(nc);
    return s;
}

void subscription_list::leave_all()
{
    for (const auto& weak : all_)
        if (const auto sub = weak.lock())
            sub->leave();
}

void subscription_list::deliver()
{
    bool any_gone = false;
    for (std::size_t i = 0; i < all_.size(); ++i) // a handler may add to the list
    {
        if (const auto sub = all_[i].lock())
            deliver_one(*sub);
        else
            any_gone = true;
    }
    if (any_gone)
        std::erase_if(all_, [](const auto& weak) { return weak.expired(); });
}

void subscription_list::deliver_one(const nats_subscription& to)
{
    std::uint64_t queued = 0;
    // QueuedMsgs costs a tenth of an empty NextMsg.
    if (to.get() == nullptr || natsSubscription_QueuedMsgs(to.get(), &queued) != NATS_OK || queued == 0)
        return;
    for (;;)
    {
        natsMsg* raw = nullptr;
        const auto s = natsSubscription_NextMsg(&raw, to.get(), 0);
        // Neither status ends the queue: the first is returned once while messages are left, and
        // the second stands for one message that NextMsg swallowed (in builds without the filter).
        if (s == NATS_SLOW_CONSUMER || s == NATS_NO_RESPONDERS)
            continue;
        if (s != NATS_OK)
            return;
        nats_msg_ptr owned(raw);
        auto copy = copy_message(raw);
        spent_.add(std::move(owned));
        to.handle(std::move(copy));
    }
}

std::uint64_t subscription_list::dropped() const noexcept
{
    auto count = *dropped_;
    for (const auto& weak : all_)
        if (const auto sub = weak.lock())
            count += dropped_by(sub->get());
    return count;
}

void subscription_list::start_drain(const std::shared_ptr<subscription>& sub, std::chrono::milliseconds limit)
{
    if (raw_of(sub) != nullptr)
        natsSubscription_DrainTimeout(raw_of(sub), std::max<std::int64_t>(limit.count(), 1));
}

bool subscription_list::is_draining(const std::shared_ptr<subscription>& sub)
{
    return raw_of(sub) != nullptr && natsSubscription_DrainCompletionStatus(raw_of(sub)) == NATS_ILLEGAL_STATE;
}

} // namespace marquee::detail
