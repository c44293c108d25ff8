#include "broker/nats/reply_source.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace marquee::detail
{

reply_source::reply_source(asio::io_context& io, std::string prefix, bool by_callback, std::function<void()> on_batch)
    : io_(io), prefix_(std::move(prefix)), by_callback_(by_callback), on_batch_(std::move(on_batch))
{
}

natsStatus reply_source::open(natsConnection* nc, const std::string& pattern)
{
    natsSubscription* raw = nullptr;
    natsStatus s = NATS_OK;
#if MARQUEE_NATS_FILTER
    natsConn_setFilterWithClosure(nc, &reply_source::filter, this); // with by_callback_ too: see filter()
    if (is_filtered()) // the filter takes every message before it is queued there
        s = natsConnection_SubscribeSync(&raw, nc, pattern.c_str());
    else
#endif
        s = open_callback(&raw, nc, pattern);
    subscription_.reset(raw);
    return s;
}

natsStatus reply_source::open_callback(natsSubscription** raw, natsConnection* nc, const std::string& pattern)
{
    {
        const std::lock_guard lock(handover_->mutex);
        handover_->owner = this;
    }
    auto* share = new std::shared_ptr<handover>(handover_); // NOLINT(cppcoreguidelines-owning-memory)
    auto s = natsConnection_Subscribe(raw, nc, pattern.c_str(), &reply_source::on_message, share);
    if (s == NATS_OK)
        s = natsSubscription_SetOnCompleteCB(
            *raw, [](void* closure) noexcept { delete static_cast<std::shared_ptr<handover>*>(closure); }, share);
    else
        delete share;
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(*raw, -1, -1);
    return s;
}

void reply_source::shut()
{
    {
        const std::lock_guard lock(handover_->mutex);
        handover_->owner = nullptr;
    }
    close();
}

/// On the io thread, inside natsConnection_ProcessReadEvent: sees each message before its
/// subscription does.
void reply_source::filter(natsConnection*, natsMsg** msg, void* closure) noexcept
{
    auto* self = static_cast<reply_source*>(closure);
    const std::string_view to = natsMsg_GetSubject(*msg);
    const auto& prefix = self->prefix_;
    if (to.size() > prefix.size() && to[prefix.size()] == '.' && to.starts_with(prefix))
    {
        if (!self->by_callback_)
            self->filtered_.emplace_back(std::exchange(*msg, nullptr));
    }
    // NextMsg of any other subscription would swallow a message with the looks of "no responders",
    // whose headers its publisher has chosen.
    else if (natsMsg_IsNoResponders(*msg))
        natsMsgHeader_Delete(*msg, "Status");
}

/// On nats.c's delivery thread: one post for all that arrive before the io thread takes them.
void reply_source::on_message(natsConnection*, natsSubscription*, natsMsg* msg, void* closure) noexcept
{
    auto shared = *static_cast<std::shared_ptr<handover>*>(closure);
    nats_msg_ptr owned(msg);
    const std::lock_guard lock(shared->mutex);
    if (shared->owner == nullptr)
        return;
    shared->arrived.push_back(std::move(owned));
    if (shared->arrived.size() == 1)
        asio::post(shared->owner->io_,
                   [shared]
                   {
                       if (shared->owner != nullptr)
                           shared->owner->on_batch_();
                   });
}

std::vector<nats_msg_ptr> reply_source::take()
{
    auto batch = std::exchange(filtered_, {});
    const std::lock_guard lock(handover_->mutex);
    std::move(handover_->arrived.begin(), handover_->arrived.end(), std::back_inserter(batch));
    handover_->arrived.clear();
    return batch;
}

} // namespace marquee::detail
