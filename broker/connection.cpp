#include "broker/connection.hpp"

#include "broker/connect_attempt.hpp"
#include "broker/connect_watch.hpp"
#include "broker/log_quota.hpp"
#include "broker/nats_link.hpp"
#include "broker/nats_message.hpp"
#include "broker/nats_options.hpp"
#include "broker/reply_inbox.hpp"
#include "broker/reply_prefixes.hpp"
#include "broker/send_queue.hpp"

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

/// The subject in `Permissions Violation for Subscription to "SUBJECT"`, with whatever stands around it; empty where it is something else.
std::string subscription_in(std::string_view violation)
{
    constexpr std::string_view before = "Violation for Subscription to \"";
    const auto at = violation.find(before);
    if (at == std::string_view::npos)
        return {};
    violation.remove_prefix(at + before.size());
    return std::string(violation.substr(0, violation.find('"')));
}

/// What nats.c knows of the end of a connection; its text stays from earlier errors, but for those that come with one.
std::string reason_of_end(natsConnection* nc)
{
    const char* text = nullptr;
    const auto status = natsConnection_GetLastError(nc, &text);
    const bool said = status == NATS_CONNECTION_AUTH_FAILED || status == NATS_ERR;
    return said && text != nullptr && *text != '\0' ? text : natsStatus_GetText(status);
}

std::uint64_t dropped_by(natsSubscription* sub)
{
    std::int64_t dropped = 0;
    return sub != nullptr && natsSubscription_GetDropped(sub, &dropped) == NATS_OK ? static_cast<std::uint64_t>(dropped) : 0;
}

/// A subscription outlives links: each new one gets it anew.
class nats_subscription final : public subscription
{
public:
    struct settings
    {
        std::string pattern;
        std::string queue_group;
        int pending_limit;
    };

    nats_subscription(settings s, connection::message_handler handler, std::shared_ptr<std::uint64_t> dropped)
        : what(std::move(s)), handle(std::move(handler)), dropped_(std::move(dropped))
    {
    }
    ~nats_subscription() override { leave(); }

    natsStatus join(natsConnection* nc)
    {
        natsSubscription* raw_sub = nullptr;
        const auto s = what.queue_group.empty()
                           ? natsConnection_SubscribeSync(&raw_sub, nc, what.pattern.c_str())
                           : natsConnection_QueueSubscribeSync(&raw_sub, nc, what.pattern.c_str(), what.queue_group.c_str());
        if (s != NATS_OK)
            return s;
        raw.reset(raw_sub);
        return natsSubscription_SetPendingLimits(raw_sub, what.pending_limit, 64 << 20);
    }

    /// Unsubscribes where there is a link.
    void leave()
    {
        *dropped_ += dropped_by(raw.get());
        raw.reset();
    }

    const settings what;
    nats_subscription_ptr raw; ///< null without a link
    const connection::message_handler handle;

private:
    std::shared_ptr<std::uint64_t> dropped_; ///< of all subscriptions that are gone; may outlive the connection
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

    result<void> open();

    bool connected() const noexcept override { return link_.up(); }
    asio::io_context& context() noexcept override { return io_; }
    result<void> publish(const std::string& to, std::string_view payload, const header_list& headers,
                         const std::string& reply) override;
    result<void> publish_later(const std::string& to, std::string_view payload, const header_list& headers,
                               const std::string& reply, deadline until, unsent_handler unsent) override;
    bool is_inbox(std::string_view subject) const noexcept override { return reply_prefixes_.allow(subject); }
    result<std::shared_ptr<subscription>> subscribe(std::string_view pattern, std::string_view queue_group,
                                                    message_handler handler, int pending_limit) override;
    asio::awaitable<void> drain(std::vector<std::shared_ptr<subscription>> subs, deadline until) override;
    requester& requests() noexcept override { return inbox_; }
    survey& surveys() noexcept override { return inbox_; }
    std::string new_inbox() override { return inbox_prefix_ + ".sub." + std::to_string(++next_inbox_); }
    std::shared_ptr<void> on_link_change(link_handler handler) override;
    void on_refused_subscription(std::function<void(const std::string&)> handler) override { on_refused_ = std::move(handler); }
    std::string refused_subscription() const override;
    bool lacks_jetstream() const noexcept override
    {
        return connected() && link_.server().known && !link_.server().jetstream && !link_.server().clustered;
    }
    void read_now() override { link_.read_now(); }
    connection_stats stats() const noexcept override;
    asio::awaitable<bool> flush(deadline until) override;
    asio::awaitable<void> close(deadline until) override;

private:
    [[nodiscard]] bool has_room();
    result<void> put(const std::string& to, std::string_view payload, const header_list& headers, const std::string& reply);
    void send_waiting();
    void look_after_waiting();
    void give_up(std::vector<send_queue::item> unsent, error why);
    void drain_all();
    void drain_one(const std::shared_ptr<nats_subscription>& sub);
    void deliver_replies();
    void link_up();
    void link_down();
    void tell_link(bool up);
    void async_error(std::string what);
    void shut(errc why);
    natsStatus open_reply_inbox();
    static void filter(natsConnection*, natsMsg** msg, void* closure) noexcept;
    static void reply_callback(natsConnection*, natsSubscription*, natsMsg* msg, void* closure) noexcept;

    [[nodiscard]] bool inbox_is_filtered() const noexcept { return MARQUEE_NATS_FILTER && !replies_by_callback_; }

    static constexpr int max_buffered = 1 << 20;
    static constexpr auto inbox_patience = std::chrono::milliseconds(500);
    static constexpr std::chrono::milliseconds expiry_tick{20};

    asio::io_context& io_;
    std::string inbox_prefix_;
    const reply_prefixes reply_prefixes_;
    const std::chrono::milliseconds send_patience_;
    send_queue queue_; ///< while it holds something, the write buffer is full or about to be written
    asio::steady_timer expiry_;
    asio::steady_timer sent_; ///< cancelled when the queue becomes empty
    reply_inbox inbox_;
    const bool replies_by_callback_;
    nats_subscription_ptr reply_sub_;
    std::vector<std::weak_ptr<nats_subscription>> subs_;
    std::vector<std::weak_ptr<link_handler>> link_handlers_; ///< those that ended go when the next one comes
    std::function<void(const std::string&)> on_refused_;
    std::string refused_; ///< the subject of a subscription, on this link
    spent_messages spent_;
    std::uint64_t next_inbox_ = 0;
    std::uint64_t links_ = 0; ///< times the link came up
    connection_stats stats_;
    std::shared_ptr<std::uint64_t> dropped_ = std::make_shared<std::uint64_t>(0);
    bool shut_ = false;
    std::shared_ptr<int> alive_ = std::make_shared<int>(); ///< a timer handler already queued outlives this object

    std::vector<nats_msg_ptr> replies_; ///< taken by the filter, on the io thread

    /// What the callback way hands over from nats.c's delivery thread.
    struct handover
    {
        std::mutex mutex;
        std::vector<nats_msg_ptr> arrived;
        nats_connection* owner = nullptr; ///< null once the connection is shut
    };
    std::shared_ptr<handover> handover_ = std::make_shared<handover>();
    nats_link link_; ///< last: its handlers use everything above
};

nats_connection::nats_connection(asio::io_context& io, const connection_options& options)
    : io_(io), inbox_prefix_(make_inbox_prefix(options)), reply_prefixes_(options.reply_prefixes, options.inbox_prefix),
      send_patience_(options.send_patience), queue_(options.send_room), expiry_(io), sent_(io),
      inbox_(
          io, inbox_prefix_ + ".r",
          [this](const std::string& to, std::string_view payload, const header_list& headers, const std::string& reply)
          { return publish(to, payload, headers, reply); },
          [this](const std::string& to, std::string_view payload, const header_list& headers, const std::string& reply,
                 deadline until, unsent_handler unsent)
          { return publish_later(to, payload, headers, reply, until, std::move(unsent)); }),
      replies_by_callback_(options.replies_by_callback),
      link_(io, options,
            {[this] { drain_all(); }, [this] { send_waiting(); }, [this] { link_up(); }, [this] { link_down(); },
             [this](std::string what) { async_error(std::move(what)); }})
{
}

/// Whoever has waited for the link learns as well whether the broker lets it have its inbox, without which
/// nothing works. A broker that does not answer soon is given the benefit of the doubt.
result<void> nats_connection::open()
{
    if (auto opened = link_.open(); opened.has_error() || !connected() || !inbox_is_filtered())
        return opened;
    const auto until = deadline::in(inbox_patience);
    const auto echo = inbox_.ping(until);
    const char* unused = nullptr;
    while (!echo.settled() && !until.passed() && connected() &&
           natsConnection_GetLastError(link_.get(), &unused) != NATS_NOT_PERMITTED)
    {
        link_.write_now();
        link_.read_now(until.remaining());
    }
    if (const auto refused = refused_subscription(); !refused.empty())
        return fail(errc::disconnected, "the broker refuses the subscription to \"" + refused + '"');
    return {};
}

natsStatus nats_connection::open_reply_inbox()
{
    natsSubscription* raw = nullptr;
    natsStatus s = NATS_OK;
#if MARQUEE_NATS_FILTER
    natsConn_setFilterWithClosure(link_.get(), &nats_connection::filter, this);
    if (inbox_is_filtered())
    {
        // The subscription only announces the subject; the filter takes every message before it is queued there.
        s = natsConnection_SubscribeSync(&raw, link_.get(), inbox_.pattern().c_str());
    }
    else
#endif
    {
        {
            std::lock_guard lock(handover_->mutex);
            handover_->owner = this;
        }
        // nats.c's delivery thread may still be inside the callback when the connection is gone: it has a share of its own.
        auto* share = new std::shared_ptr<handover>(handover_); // NOLINT(cppcoreguidelines-owning-memory)
        s = natsConnection_Subscribe(&raw, link_.get(), inbox_.pattern().c_str(), &nats_connection::reply_callback, share);
        if (s == NATS_OK)
            s = natsSubscription_SetOnCompleteCB(
                raw, [](void* closure) noexcept { delete static_cast<std::shared_ptr<handover>*>(closure); }, share);
        else
            delete share;
        if (s == NATS_OK)
            s = natsSubscription_SetPendingLimits(raw, -1, -1);
    }
    reply_sub_.reset(raw);
    return s;
}

/// On the io thread, inside natsConnection_ProcessReadEvent: sees each message before its subscription does.
void nats_connection::filter(natsConnection*, natsMsg** msg, void* closure) noexcept
{
    auto* self = static_cast<nats_connection*>(closure);
    const std::string_view to = natsMsg_GetSubject(*msg);
    const auto& prefix = self->inbox_.prefix();
    if (to.size() > prefix.size() && to[prefix.size()] == '.' && to.starts_with(prefix))
    {
        if (!self->replies_by_callback_)
            self->replies_.emplace_back(std::exchange(*msg, nullptr));
    }
    // A subscription would swallow what looks like "no responders": an empty message of whoever chose such headers, a stored one perhaps.
    else if (natsMsg_IsNoResponders(*msg))
        natsMsgHeader_Delete(*msg, "Status");
}

/// On nats.c's delivery thread: one post for all that arrive before the io thread looks.
void nats_connection::reply_callback(natsConnection*, natsSubscription*, natsMsg* msg, void* closure) noexcept
{
    auto shared = *static_cast<std::shared_ptr<handover>*>(closure);
    nats_msg_ptr owned(msg);
    std::lock_guard lock(shared->mutex);
    if (shared->owner == nullptr)
        return;
    shared->arrived.push_back(std::move(owned));
    if (shared->arrived.size() == 1)
        asio::post(shared->owner->io_,
                   [shared]
                   {
                       if (shared->owner != nullptr)
                           shared->owner->deliver_replies();
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
    if (!sub->raw || natsSubscription_QueuedMsgs(sub->raw.get(), &queued) != NATS_OK || queued == 0)
        return;
    for (;;)
    {
        natsMsg* raw = nullptr;
        const auto s = natsSubscription_NextMsg(&raw, sub->raw.get(), 0);
        if (s == NATS_SLOW_CONSUMER || s == NATS_NO_RESPONDERS)
            continue; // said once; the messages that were kept still wait. Or, without a filter: one was swallowed
        if (s != NATS_OK)
            return;
        nats_msg_ptr owned(raw);
        auto copy = copy_message(raw);
        spent_.add(std::move(owned));
        sub->handle(std::move(copy));
    }
}

/// Everything is subscribed before anybody is told.
void nats_connection::link_up()
{
    stats_.reconnects = links_++;
    refused_.clear();
    auto s = open_reply_inbox();
    for (std::size_t i = 0; s == NATS_OK && i < subs_.size(); ++i)
        if (auto sub = subs_[i].lock())
            s = sub->join(link_.get());
    if (s != NATS_OK)
    {
        log(log_level::warning, "subscribing failed; the link will be made again", {{"error", natsStatus_GetText(s)}});
        natsConnection_Close(link_.get()); // which is link_down(), soon
        return;
    }
    log(log_level::info, "broker link up");
    tell_link(true);
}

void nats_connection::link_down()
{
    deliver_replies(); // those that came in time
    reply_sub_.reset();
    for (const auto& weak : subs_)
        if (auto sub = weak.lock())
            sub->leave();
    spent_.destroy();
    give_up(queue_.take_all(), fail(errc::disconnected));
    inbox_.fail_all(errc::disconnected);
    log(log_level::warning, "broker link down", {{"reason", reason_of_end(link_.get())}});
    tell_link(false);
}

std::shared_ptr<void> nats_connection::on_link_change(link_handler handler)
{
    std::erase_if(link_handlers_, [](const auto& weak) { return weak.expired(); });
    auto registered = std::make_shared<link_handler>(std::move(handler));
    link_handlers_.push_back(registered);
    return registered;
}

/// Handlers may come and go meanwhile. One that came since the change sees connected() as it is.
void nats_connection::tell_link(bool up)
{
    const auto all = link_handlers_;
    for (const auto& weak : all)
        if (const auto handler = weak.lock())
            (*handler)(up);
}

/// nats.c tells of a refusal through a thread of its own, later than of what came after it; until then it
/// is the connection's last error.
std::string nats_connection::refused_subscription() const
{
    if (!refused_.empty() || !connected())
        return refused_;
    const char* text = nullptr;
    return natsConnection_GetLastError(link_.get(), &text) == NATS_NOT_PERMITTED ? subscription_in(text) : std::string();
}

void nats_connection::async_error(std::string what)
{
    ++stats_.async_errors;
    static limited_log errors(log_level::warning, "broker reports an error"); // a reply that may not be published, say
    if (auto subject = subscription_in(what); !subject.empty())
    {
        refused_ = subject;
        log(log_level::error, "the broker refuses a subscription", {{"subject", subject}, {"error", std::move(what)}});
        if (on_refused_)
            on_refused_(subject);
        return;
    }
    errors.write({{"error", std::move(what)}});
}

result<void> nats_connection::publish(const std::string& to, std::string_view payload, const header_list& headers,
                                      const std::string& reply)
{
    if (!connected())
        return fail(errc::disconnected);
    if (to.empty() || !is_wire_safe(to) || !is_wire_safe(reply) || !is_header_safe(headers))
        return fail(errc::bad_request, "a subject or header that cannot be put on the wire");
    if (!has_room())
        return fail(errc::overloaded, "too much is waiting to be sent to the broker");
    return put(to, payload, headers, reply);
}

/// The write buffer is written once a turn, unless that turn has more to say than it holds.
bool nats_connection::has_room()
{
    if (!queue_.empty())
        return false;
    if (natsConnection_Buffered(link_.get()) <= max_buffered)
        return true;
    link_.write_now();
    return natsConnection_Buffered(link_.get()) <= max_buffered;
}

result<void> nats_connection::put(const std::string& to, std::string_view payload, const header_list& headers,
                                  const std::string& reply)
{
    natsStatus s = NATS_OK;
    if (!headers.empty())
    {
        auto msg = make_nats_message(to.c_str(), reply.empty() ? nullptr : reply.c_str(), payload, headers);
        s = msg ? natsConnection_PublishMsg(link_.get(), msg.get()) : NATS_NO_MEMORY;
        if (msg)
            spent_.add(std::move(msg));
    }
    else if (reply.empty())
        s = natsConnection_Publish(link_.get(), to.c_str(), payload.data(), static_cast<int>(payload.size()));
    else
        s = natsConnection_PublishRequest(link_.get(), to.c_str(), reply.c_str(), payload.data(),
                                          static_cast<int>(payload.size()));
    if (s == NATS_OK)
        return {};
    if (s == NATS_MAX_PAYLOAD)
        return fail(errc::payload_too_large, "the message is larger than the broker takes");
    return fail(errc::disconnected, natsStatus_GetText(s));
}

result<void> nats_connection::publish_later(const std::string& to, std::string_view payload, const header_list& headers,
                                            const std::string& reply, deadline until, unsent_handler unsent)
{
    if (!connected())
        return fail(errc::disconnected);
    if (to.empty() || !is_wire_safe(to) || !is_wire_safe(reply) || !is_header_safe(headers))
        return fail(errc::bad_request, "a subject or header that cannot be put on the wire");
    if (std::cmp_greater(payload.size(), natsConnection_GetMaxPayload(link_.get())))
        return fail(errc::payload_too_large, "the message is larger than the broker takes");
    const auto half = until.remaining() / 2;
    const auto patience = deadline::in(payload.size() < send_queue::small ? half : std::min(send_patience_, half));
    const bool first = queue_.empty();
    if (!queue_.add({to, std::string(payload), headers, reply, patience.at(), std::move(unsent)}))
    {
        ++stats_.unsent;
        return fail(errc::overloaded, "too much is waiting to be sent to the broker");
    }
    ++stats_.waited;
    if (first)
        look_after_waiting();
    return {};
}

/// The socket has taken something: as much as the write buffer then holds follows.
void nats_connection::send_waiting()
{
    if (queue_.empty())
        return;
    while (connected() && !queue_.empty() && natsConnection_Buffered(link_.get()) <= max_buffered)
    {
        const auto one = queue_.next();
        auto sent = put(one.to, one.payload, one.headers, one.reply);
        if (sent.has_error() && one.unsent)
            one.unsent(sent.error());
    }
    if (queue_.empty())
        sent_.cancel();
}

/// Now and then while something waits.
void nats_connection::look_after_waiting()
{
    expiry_.expires_after(expiry_tick);
    expiry_.async_wait(
        [this, alive = std::weak_ptr(alive_)](boost::system::error_code ec)
        {
            if (ec || alive.expired())
                return;
            give_up(queue_.take_expired(send_queue::clock::now()), fail(errc::overloaded, "the broker took too little in time"));
            if (!queue_.empty())
                look_after_waiting();
        });
}

void nats_connection::give_up(std::vector<send_queue::item> unsent, error why)
{
    stats_.unsent += unsent.size();
    for (const auto& one : unsent)
        if (one.unsent)
            one.unsent(why);
    if (queue_.empty())
        sent_.cancel();
}

result<std::shared_ptr<subscription>> nats_connection::subscribe(std::string_view pattern, std::string_view queue_group,
                                                                 message_handler handler, int pending_limit)
{
    if (!connected())
        return fail(errc::disconnected);
    if (pattern.empty() || !is_wire_safe(pattern) || !is_wire_safe(queue_group))
        return fail(errc::bad_request, "a subject that cannot be subscribed");
    nats_subscription::settings what{std::string(pattern), std::string(queue_group), pending_limit};
    auto made = std::make_shared<nats_subscription>(std::move(what), std::move(handler), dropped_);
    if (const auto s = made->join(link_.get()); s != NATS_OK)
        return fail(errc::disconnected, natsStatus_GetText(s));
    subs_.push_back(made);
    return std::shared_ptr<subscription>(made);
}

asio::awaitable<void> nats_connection::drain(std::vector<std::shared_ptr<subscription>> subs, deadline until)
{
    for (auto& sub : subs)
    {
        if (connected() && raw_of(sub) != nullptr)
            natsSubscription_DrainTimeout(raw_of(sub), std::max<std::int64_t>(until.remaining().count(), 1));
    }
    // nats.c tells the end of a drain only to those who ask; the messages themselves come through drain_all().
    asio::steady_timer pause(io_);
    auto draining = [this](const std::shared_ptr<subscription>& sub) {
        return connected() && raw_of(sub) != nullptr && natsSubscription_DrainCompletionStatus(raw_of(sub)) == NATS_ILLEGAL_STATE;
    };
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
    now.waiting_bytes = queue_.bytes();
    now.dropped_messages = *dropped_;
    for (const auto& weak : subs_)
        if (auto sub = weak.lock())
            now.dropped_messages += dropped_by(sub->raw.get());
    return now;
}

asio::awaitable<bool> nats_connection::flush(deadline until)
{
    while (!queue_.empty() && !until.passed())
    {
        sent_.expires_at(until.at());
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await sent_.async_wait(token);
    }
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

/// Idempotent.
void nats_connection::shut(errc why)
{
    if (std::exchange(shut_, true))
        return;
    {
        std::lock_guard lock(handover_->mutex);
        handover_->owner = nullptr;
    }
    link_.write_now();
    reply_sub_.reset();
    give_up(queue_.take_all(), fail(why));
    inbox_.fail_all(why);
    link_.close();
}

} // namespace

nats_threads::~nats_threads()
{
    if (connect_attempt::wait_for_all(std::chrono::seconds(1)))
        nats_Close();
    else
        hold_watched_threads(); // one still waits for a name: it must not go on while the process ends
}

result<std::unique_ptr<connection>> connection::open(asio::io_context& io, const connection_options& options)
{
    auto made = std::make_unique<nats_connection>(io, options);
    if (auto opened = made->open(); opened.has_error())
        return opened.error();
    return std::unique_ptr<connection>(std::move(made));
}

} // namespace marquee
