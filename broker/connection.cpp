#include "broker/connection.hpp"

#include "broker/event_loop.hpp"
#include "broker/log.hpp"
#include "broker/nats_message.hpp"
#include "broker/nats_options.hpp"
#include "broker/reply_inbox.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace marquee
{

namespace
{

using namespace detail;

using nats_subscription_ptr = std::unique_ptr<natsSubscription, c_deleter<natsSubscription, natsSubscription_Destroy>>;

/// A header name or value that would end the header section early is a bug of the caller or an attack on it.
bool is_header_safe(const header_list& headers)
{
    for (const auto& [name, value] : headers)
    {
        if (name.empty() || name.find_first_of(": \r\n") != std::string::npos)
            return false;
        if (value.find_first_of("\r\n") != std::string::npos)
            return false;
    }
    return true;
}

/// nats.c puts subjects on the wire as they are.
bool is_wire_safe(std::string_view subject)
{
    return std::none_of(subject.begin(), subject.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

/// What subscriptions leave behind; shared because they may outlive the connection.
struct remains
{
    std::shared_ptr<event_loop> loop;
    std::uint64_t dropped = 0;
    std::vector<nats_subscription_ptr> parked; ///< given up while the link was down: to unsubscribe would wait for nats.c's lock
};

std::uint64_t dropped_by(natsSubscription* sub)
{
    std::int64_t dropped = 0;
    return natsSubscription_GetDropped(sub, &dropped) == NATS_OK ? static_cast<std::uint64_t>(dropped) : 0;
}

class nats_subscription final : public subscription
{
public:
    nats_subscription(nats_subscription_ptr sub, connection::message_handler handler, std::shared_ptr<remains> left)
        : raw(std::move(sub)), handle(std::move(handler)), remains_(std::move(left))
    {
    }

    ~nats_subscription() override
    {
        remains_->dropped += dropped_by(raw.get());
        if (remains_->loop->running() && !remains_->loop->up())
            remains_->parked.push_back(std::move(raw));
    }

    nats_subscription_ptr raw;
    const connection::message_handler handle;

private:
    std::shared_ptr<remains> remains_;
};

natsSubscription* raw_of(const std::shared_ptr<subscription>& sub)
{
    return static_cast<nats_subscription*>(sub.get())->raw.get();
}

class nats_connection final : public connection
{
public:
    nats_connection(asio::io_context& io, const connection_options& options);
    ~nats_connection() override { shut(errc::stopping); }

    result<void> connect(const connection_options& options);

    bool connected() const noexcept override { return loop_ && loop_->up(); }
    asio::io_context& context() noexcept override { return io_; }
    result<void> publish(const std::string& to, std::string_view payload, const header_list& headers,
                         const std::string& reply) override;
    result<std::shared_ptr<subscription>> subscribe(std::string_view pattern, std::string_view queue_group,
                                                    message_handler handler, int pending_limit) override;
    asio::awaitable<void> drain(std::vector<std::shared_ptr<subscription>> subs, deadline until) override;
    requester& requests() noexcept override { return inbox_; }
    std::string new_inbox() override { return inbox_prefix_ + ".sub." + std::to_string(++next_inbox_); }
    void on_link_change(link_handler handler) override { link_handlers_.push_back(std::move(handler)); }
    connection_stats stats() const noexcept override;
    asio::awaitable<bool> flush(deadline until) override;
    asio::awaitable<void> close(deadline until) override;

private:
    void drain_all();
    void drain_one(const std::shared_ptr<nats_subscription>& sub);
    void deliver_replies();
    void link_changed(bool up);
    void async_error(std::string what);
    void shut(errc why);
    natsStatus open_reply_inbox(bool by_callback);
    static void reply_filter(natsConnection*, natsMsg** msg, void* closure);
    static void reply_callback(natsConnection*, natsSubscription*, natsMsg* msg, void* closure);

    static constexpr int max_buffered = 1 << 20;

    asio::io_context& io_;
    std::string inbox_prefix_;
    reply_inbox inbox_;
    std::shared_ptr<event_loop> loop_;
    natsConnection* nc_ = nullptr;
    nats_subscription_ptr reply_sub_;
    std::vector<std::weak_ptr<nats_subscription>> subs_;
    std::vector<link_handler> link_handlers_;
    spent_messages spent_;
    std::uint64_t next_inbox_ = 0;
    std::uint64_t links_ = 0; ///< times the link came up
    connection_stats stats_;
    std::shared_ptr<remains> remains_ = std::make_shared<remains>();

    std::vector<nats_msg_ptr> replies_; ///< taken by the filter, on the io thread

    /// What the callback way hands over from nats.c's delivery thread.
    struct handover
    {
        std::mutex mutex;
        std::vector<nats_msg_ptr> arrived;
        nats_connection* owner = nullptr; ///< null once the connection is shut
    };
    std::shared_ptr<handover> handover_ = std::make_shared<handover>();
};

nats_connection::nats_connection(asio::io_context& io, const connection_options& options)
    : io_(io), inbox_prefix_(make_inbox_prefix(options)),
      inbox_(io, inbox_prefix_ + ".r",
             [this](const std::string& to, std::string_view payload, const header_list& headers, const std::string& reply)
             { return publish(to, payload, headers, reply); })
{
}

result<void> nats_connection::connect(const connection_options& options)
{
    auto made = make_nats_options(options);
    if (made.has_error())
        return made.error();
    event_loop::handlers handlers;
    handlers.on_read = [this] { drain_all(); };
    handlers.on_link = [this](bool up) { link_changed(up); };
    handlers.on_error = [this](std::string what) { async_error(std::move(what)); };
    loop_ = std::make_shared<event_loop>(io_, std::move(handlers));
    remains_->loop = loop_;

    auto s = loop_->install(made->get());
    if (s == NATS_OK && options.wait_for_server)
        s = natsOptions_SetRetryOnFailedConnect(made->get(), true, event_loop::on_connected, loop_.get());
    if (s == NATS_OK)
        s = natsConnection_Connect(&nc_, made->get());
    loop_->start(nc_, s == NATS_OK);
    const bool later = s == NATS_NOT_YET_CONNECTED;
    if (s == NATS_OK || later)
        s = open_reply_inbox(options.replies_by_callback);
    if (s == NATS_OK)
        return {};
    return fail(errc::disconnected, "cannot connect to " + servers_for_log(options) + ": " + natsStatus_GetText(s));
}

natsStatus nats_connection::open_reply_inbox(bool by_callback)
{
    natsSubscription* raw = nullptr;
    natsStatus s = NATS_OK;
#if MARQUEE_NATS_FILTER
    if (!by_callback)
    {
        // The subscription only announces the subject; the filter takes every message before it is queued there.
        s = natsConnection_SubscribeSync(&raw, nc_, inbox_.pattern().c_str());
        if (s == NATS_OK)
            natsConn_setFilterWithClosure(nc_, &nats_connection::reply_filter, this);
    }
    else
#endif
    {
        (void)by_callback;
        handover_->owner = this;
        // nats.c's delivery thread may still be inside the callback when the connection is gone: it has a share of its own.
        auto* share = new std::shared_ptr<handover>(handover_); // NOLINT(cppcoreguidelines-owning-memory)
        s = natsConnection_Subscribe(&raw, nc_, inbox_.pattern().c_str(), &nats_connection::reply_callback, share);
        if (s == NATS_OK)
            s = natsSubscription_SetOnCompleteCB(
                raw, [](void* closure) { delete static_cast<std::shared_ptr<handover>*>(closure); }, share);
        else
            delete share;
        if (s == NATS_OK)
            s = natsSubscription_SetPendingLimits(raw, -1, -1);
    }
    reply_sub_.reset(raw);
    return s;
}

/// On the io thread, inside natsConnection_ProcessReadEvent.
void nats_connection::reply_filter(natsConnection*, natsMsg** msg, void* closure)
{
    auto* self = static_cast<nats_connection*>(closure);
    const std::string_view to = natsMsg_GetSubject(*msg);
    const auto& prefix = self->inbox_.prefix();
    if (to.size() <= prefix.size() || to[prefix.size()] != '.' || !to.starts_with(prefix))
        return;
    self->replies_.emplace_back(std::exchange(*msg, nullptr));
}

/// On nats.c's delivery thread: one post for all that arrive before the io thread looks.
void nats_connection::reply_callback(natsConnection*, natsSubscription*, natsMsg* msg, void* closure)
{
    auto shared = *static_cast<std::shared_ptr<handover>*>(closure);
    nats_msg_ptr owned(msg);
    std::lock_guard lock(shared->mutex);
    if (shared->owner == nullptr)
        return;
    shared->arrived.push_back(std::move(owned));
    if (shared->arrived.size() == 1)
        asio::post(shared->owner->io_,
                   [loop = shared->owner->loop_, owner = shared->owner]
                   {
                       if (loop->running())
                           owner->deliver_replies();
                   });
}

void nats_connection::deliver_replies()
{
    auto batch = std::exchange(replies_, {});
    {
        std::lock_guard lock(handover_->mutex);
        std::move(handover_->arrived.begin(), handover_->arrived.end(), std::back_inserter(batch));
        handover_->arrived.clear();
    }
    for (auto& reply : batch)
    {
        inbox_.deliver(natsMsg_GetSubject(reply.get()), copy_reply(reply.get()));
        spent_.add(std::move(reply));
    }
}

/// After each read: hands over everything that has been parsed.
void nats_connection::drain_all()
{
    if (!replies_.empty())
        deliver_replies();
    bool any_gone = false;
    for (std::size_t i = 0; i < subs_.size(); ++i) // handlers may subscribe: the vector may grow
    {
        if (auto sub = subs_[i].lock())
            drain_one(sub);
        else
            any_gone = true;
    }
    if (any_gone)
        std::erase_if(subs_, [](const auto& weak) { return weak.expired(); });
}

void nats_connection::drain_one(const std::shared_ptr<nats_subscription>& sub)
{
    std::uint64_t queued = 0;
    // Asking costs a tenth of an empty NextMsg.
    if (natsSubscription_QueuedMsgs(sub->raw.get(), &queued) != NATS_OK || queued == 0)
        return;
    for (;;)
    {
        natsMsg* raw = nullptr;
        const auto s = natsSubscription_NextMsg(&raw, sub->raw.get(), 0);
        if (s == NATS_SLOW_CONSUMER)
            continue; // said once; the messages that were kept still wait
        if (s != NATS_OK)
            return;
        nats_msg_ptr owned(raw);
        auto copy = copy_message(raw);
        spent_.add(std::move(owned));
        sub->handle(std::move(copy));
    }
}

void nats_connection::link_changed(bool up)
{
    if (up)
    {
        stats_.reconnects = links_++;
        remains_->parked.clear();
    }
    else
        inbox_.fail_all(errc::disconnected);
    log(up ? log_level::info : log_level::warning, up ? "broker link up" : "broker link down");
    for (std::size_t i = 0; i < link_handlers_.size(); ++i)
        link_handlers_[i](up);
}

void nats_connection::async_error(std::string what)
{
    ++stats_.async_errors;
    log(log_level::warning, "broker reports an error", {{"error", std::move(what)}});
}

result<void> nats_connection::publish(const std::string& to, std::string_view payload, const header_list& headers,
                                      const std::string& reply)
{
    if (!connected())
        return fail(errc::disconnected);
    if (natsConnection_Buffered(nc_) > max_buffered)
        return fail(errc::overloaded, "too much is waiting to be sent to the broker");
    if (to.empty() || !is_wire_safe(to) || !is_wire_safe(reply) || !is_header_safe(headers))
        return fail(errc::bad_request, "a subject or header that cannot be put on the wire");

    natsStatus s = NATS_OK;
    if (!headers.empty())
    {
        auto msg = make_nats_message(to.c_str(), reply.empty() ? nullptr : reply.c_str(), payload, headers);
        s = msg ? natsConnection_PublishMsg(nc_, msg.get()) : NATS_NO_MEMORY;
        if (msg)
            spent_.add(std::move(msg));
    }
    else if (reply.empty())
        s = natsConnection_Publish(nc_, to.c_str(), payload.data(), static_cast<int>(payload.size()));
    else
        s = natsConnection_PublishRequest(nc_, to.c_str(), reply.c_str(), payload.data(), static_cast<int>(payload.size()));
    if (s == NATS_OK)
        return {};
    if (s == NATS_MAX_PAYLOAD)
        return fail(errc::payload_too_large, "the message is larger than the broker takes");
    return fail(errc::disconnected, natsStatus_GetText(s));
}

result<std::shared_ptr<subscription>> nats_connection::subscribe(std::string_view pattern, std::string_view queue_group,
                                                                 message_handler handler, int pending_limit)
{
    if (!connected())
        return fail(errc::disconnected);
    if (pattern.empty() || !is_wire_safe(pattern) || !is_wire_safe(queue_group))
        return fail(errc::bad_request, "a subject that cannot be subscribed");
    const std::string subject(pattern);
    const std::string group(queue_group);
    natsSubscription* raw = nullptr;
    auto s = group.empty() ? natsConnection_SubscribeSync(&raw, nc_, subject.c_str())
                           : natsConnection_QueueSubscribeSync(&raw, nc_, subject.c_str(), group.c_str());
    if (s != NATS_OK)
        return fail(errc::disconnected, natsStatus_GetText(s));
    nats_subscription_ptr owned(raw);
    natsSubscription_SetPendingLimits(raw, pending_limit, 64 << 20);
    auto made = std::make_shared<nats_subscription>(std::move(owned), std::move(handler), remains_);
    subs_.push_back(made);
    return std::shared_ptr<subscription>(made);
}

asio::awaitable<void> nats_connection::drain(std::vector<std::shared_ptr<subscription>> subs, deadline until)
{
    for (auto& sub : subs)
    {
        if (connected())
            natsSubscription_DrainTimeout(raw_of(sub), std::max<std::int64_t>(until.remaining().count(), 1));
    }
    // nats.c tells the end of a drain only to those who ask; the messages themselves come through drain_all().
    asio::steady_timer pause(io_);
    auto draining = [this](const std::shared_ptr<subscription>& sub)
    { return connected() && natsSubscription_DrainCompletionStatus(raw_of(sub)) == NATS_ILLEGAL_STATE; };
    while (!until.passed() && std::any_of(subs.begin(), subs.end(), draining))
    {
        drain_all();
        pause.expires_after(std::chrono::milliseconds(2));
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await pause.async_wait(token);
    }
    drain_all();
}

connection_stats nats_connection::stats() const noexcept
{
    auto now = stats_;
    now.late_replies = inbox_.late_replies();
    now.in_flight = inbox_.in_flight();
    now.dropped_messages = remains_->dropped;
    for (const auto& weak : subs_)
        if (auto sub = weak.lock())
            now.dropped_messages += dropped_by(sub->raw.get());
    return now;
}

asio::awaitable<bool> nats_connection::flush(deadline until)
{
    auto pending = inbox_.ping(until);
    auto answer = co_await pending.receive();
    co_return answer.has_value();
}

asio::awaitable<void> nats_connection::close(deadline until)
{
    if (connected())
        co_await flush(until);
    shut(errc::stopping);
}

/// Idempotent. nats.c joins its reconnect thread here, which may be inside one connection attempt: bounded by the connect timeout.
void nats_connection::shut(errc why)
{
    if (nc_ == nullptr)
        return;
    {
        std::lock_guard lock(handover_->mutex);
        handover_->owner = nullptr;
    }
    loop_->write_now(); // or natsConnection_Close waits half a second for a flush that nobody makes
    loop_->shut();
    inbox_.fail_all(why);
    natsConnection_Close(nc_);
    remains_->parked.clear();
    reply_sub_.reset();
    natsConnection_Destroy(std::exchange(nc_, nullptr));
}

} // namespace

result<std::unique_ptr<connection>> connection::open(asio::io_context& io, const connection_options& options)
{
    auto made = std::make_unique<nats_connection>(io, options);
    auto opened = made->connect(options);
    if (opened.has_error())
        return opened.error();
    return std::unique_ptr<connection>(std::move(made));
}

} // namespace marquee
