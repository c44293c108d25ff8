#include "broker/nats/connection.hpp"

#include "broker/base/log_quota.hpp"
#include "broker/base/wait.hpp"
#include "broker/nats/connect_attempt.hpp"
#include "broker/nats/connect_interceptor.hpp"
#include "broker/nats/nats_link.hpp"
#include "broker/nats/nats_message.hpp"
#include "broker/nats/nats_options.hpp"
#include "broker/nats/publisher.hpp"
#include "broker/nats/reply_inbox.hpp"
#include "broker/nats/reply_prefixes.hpp"
#include "broker/nats/reply_source.hpp"
#include "broker/nats/subscription_list.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{

namespace
{

using namespace detail;

/// The subject in `Permissions Violation for Subscription to "SUBJECT"`; empty if `violation` is
/// another text.
std::string subscription_in(std::string_view violation)
{
    constexpr std::string_view before = "Violation for Subscription to \"";
    const auto at = violation.find(before);
    if (at == std::string_view::npos)
        return {};
    violation.remove_prefix(at + before.size());
    return std::string(violation.substr(0, violation.find('"')));
}

/// nats.c keeps the text of an earlier error. It belongs to the last one only for the statuses that
/// come with a text.
std::string reason_of_end(natsConnection* nc)
{
    const char* text = nullptr;
    const auto status = natsConnection_GetLastError(nc, &text);
    const bool has_text = status == NATS_CONNECTION_AUTH_FAILED || status == NATS_ERR;
    return has_text && text != nullptr && *text != '\0' ? text : natsStatus_GetText(status);
}

class nats_connection final : public connection
{
public:
    nats_connection(asio::io_context& io, const connection_options& options);
    ~nats_connection() override { shut(errc::stopping); }

    result<void> open();

    bool connected() const noexcept override { return link_.up(); }
    asio::io_context& context() noexcept override { return io_; }
    const connection_identity& identity() const noexcept override { return identity_; }
    result<void> publish(const std::string& to, std::string_view payload, const header_list& headers,
                         const std::string& reply) override
    {
        return publisher_.publish(to, payload, headers, reply);
    }
    result<void> publish_later(const std::string& to, std::string_view payload, const header_list& headers,
                               const std::string& reply, deadline until, unsent_handler unsent) override
    {
        return publisher_.publish_later(to, payload, headers, reply, until, std::move(unsent));
    }
    bool is_inbox(std::string_view subject) const noexcept override { return reply_prefixes_.allow(subject); }
    result<std::shared_ptr<subscription>> subscribe(std::string_view pattern, std::string_view queue_group,
                                                    message_handler handler, int pending_limit) override;
    asio::awaitable<void> drain(std::vector<std::shared_ptr<subscription>> subs, deadline until) override;
    requester& requests() noexcept override { return inbox_; }
    multi_requester& multi_requests() noexcept override { return inbox_; }
    std::string new_inbox() override { return inbox_prefix_ + ".sub." + std::to_string(++next_inbox_); }
    std::shared_ptr<void> on_link_change(link_handler handler) override;
    void on_refused_subscription(std::function<void(const std::string&)> handler) override
    {
        on_refused_ = std::move(handler);
    }
    std::string refused_subscription() const override;
    const std::string& last_complaint() const noexcept override { return complaint_; }
    bool lacks_jetstream() const noexcept override
    {
        const auto& at = link_.server();
        return connected() && !jetstream_elsewhere_ && at.known && !at.jetstream && !at.clustered;
    }
    const std::string& server_version() const noexcept override { return link_.server().version; }
    void read_now() override { link_.read_now(); }
    connection_stats stats() const noexcept override;
    asio::awaitable<bool> flush(deadline until) override;
    asio::awaitable<void> close(deadline until) override;

private:
    void deliver();
    void deliver_replies();
    void link_up();
    void link_down();
    void notify_link_handlers(bool up);
    void async_error(std::string what);
    void shut(errc why);

    static constexpr auto inbox_patience = std::chrono::milliseconds(500);

    asio::io_context& io_;
    const connection_identity identity_;
    const bool jetstream_elsewhere_; ///< in a domain, or in another account
    std::string inbox_prefix_;
    const reply_prefixes reply_prefixes_;
    spent_messages spent_;
    publisher publisher_;
    reply_inbox inbox_;
    reply_source replies_;
    subscription_list subscriptions_;
    std::vector<std::weak_ptr<link_handler>> link_handlers_; ///< expired ones are removed when one is added
    std::function<void(const std::string&)> on_refused_;
    std::string refused_; ///< the subject of a subscription, on this link
    std::string complaint_;
    std::uint64_t next_inbox_ = 0;
    std::uint64_t links_ = 0; ///< times the link came up
    std::uint64_t async_errors_ = 0;
    bool shut_ = false;
    nats_link link_; ///< last: its handlers use everything above
};

nats_connection::nats_connection(asio::io_context& io, const connection_options& options)
    : io_(io), identity_{connection_name(options), options.instance},
      jetstream_elsewhere_(!options.jetstream_prefix.empty()), inbox_prefix_(make_inbox_prefix(options)),
      reply_prefixes_(options.reply_prefixes, options.inbox_prefix), publisher_(io, link_, spent_, options),
      inbox_(
          io, inbox_prefix_ + ".r",
          [this](const std::string& to, std::string_view payload, const header_list& headers, const std::string& reply)
          { return publish(to, payload, headers, reply); },
          [this](const std::string& to, std::string_view payload, const header_list& headers, const std::string& reply,
                 deadline until, unsent_handler unsent)
          { return publish_later(to, payload, headers, reply, until, std::move(unsent)); }),
      replies_(io, inbox_.prefix(), options.replies_by_callback, [this] { deliver_replies(); }), subscriptions_(spent_),
      link_(io, options,
            {[this] { deliver(); }, [this] { publisher_.send_queued(); }, [this] { link_up(); },
             [this] { link_down(); }, [this](std::string what) { async_error(std::move(what)); }})
{
}

/// After the link, waits until the broker has accepted the subscription of the reply inbox, without
/// which no request works. A broker that does not answer in time is taken as having accepted it.
result<void> nats_connection::open()
{
    if (auto opened = link_.open(); opened.has_error() || !connected() || !replies_.is_filtered())
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

// ---- what arrives

/// After each read: hands over everything that nats.c has parsed.
void nats_connection::deliver()
{
    if (replies_.has_filtered())
        deliver_replies();
    subscriptions_.deliver();
}

void nats_connection::deliver_replies()
{
    for (auto& reply : replies_.take())
    {
        inbox_.deliver(natsMsg_GetSubject(reply.get()), copy_reply(reply.get()));
        spent_.add(std::move(reply));
    }
}

result<std::shared_ptr<subscription>> nats_connection::subscribe(std::string_view pattern, std::string_view queue_group,
                                                                 message_handler handler, int pending_limit)
{
    if (!connected())
        return fail(errc::disconnected);
    subscription_settings settings{std::string(pattern), std::string(queue_group), pending_limit};
    return subscriptions_.add(link_.get(), std::move(settings), std::move(handler));
}

/// nats.c reports the end of a drain only when polled; messages keep coming through deliver().
asio::awaitable<void> nats_connection::drain(std::vector<std::shared_ptr<subscription>> subs, deadline until)
{
    for (const auto& sub : subs)
        if (connected())
            subscription_list::start_drain(sub, until.remaining());
    asio::steady_timer pause(io_);
    auto draining = [this](const auto& sub) { return connected() && subscription_list::is_draining(sub); };
    while (!until.passed() && std::any_of(subs.begin(), subs.end(), draining))
    {
        deliver();
        co_await wait(pause, deadline::in(std::chrono::milliseconds(2)));
    }
    deliver();
}

// ---- the link

/// Subscribes everything before any handler runs.
void nats_connection::link_up()
{
    ++links_;
    refused_.clear();
    auto s = replies_.open(link_.get(), inbox_.pattern());
    if (s == NATS_OK)
        s = subscriptions_.join_all(link_.get());
    if (s != NATS_OK)
    {
        log(log_level::warning, "subscribing failed; the link will be made again", {{"error", natsStatus_GetText(s)}});
        natsConnection_Close(link_.get()); // link_down() follows
        return;
    }
    log(log_level::info, "broker link up");
    notify_link_handlers(true);
}

void nats_connection::link_down()
{
    deliver_replies(); // those that came in time
    replies_.close();
    subscriptions_.leave_all();
    spent_.destroy();
    publisher_.fail_queued(fail(errc::disconnected));
    inbox_.fail_all(errc::disconnected);
    log(log_level::warning, "broker link down", {{"reason", reason_of_end(link_.get())}});
    notify_link_handlers(false);
}

std::shared_ptr<void> nats_connection::on_link_change(link_handler handler)
{
    std::erase_if(link_handlers_, [](const auto& weak) { return weak.expired(); });
    auto registered = std::make_shared<link_handler>(std::move(handler));
    link_handlers_.push_back(registered);
    return registered;
}

/// A handler may add and remove handlers. One that is added meanwhile is not called: it sees
/// connected() as it is.
void nats_connection::notify_link_handlers(bool up)
{
    const auto all = link_handlers_;
    for (const auto& weak : all)
        if (const auto handler = weak.lock())
            (*handler)(up);
}

/// async_error() runs through a thread of nats.c's, later than what arrived after the refusal.
/// Until then the refusal is the connection's last error.
std::string nats_connection::refused_subscription() const
{
    if (!refused_.empty() || !connected())
        return refused_;
    const char* text = nullptr;
    return natsConnection_GetLastError(link_.get(), &text) == NATS_NOT_PERMITTED ? subscription_in(text)
                                                                                 : std::string();
}

void nats_connection::async_error(std::string what)
{
    ++async_errors_;
    complaint_ = what;
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

connection_stats nats_connection::stats() const noexcept
{
    connection_stats now;
    now.reconnects = links_ == 0 ? 0 : links_ - 1;
    now.late_replies = inbox_.late_replies();
    now.dropped_messages = subscriptions_.dropped();
    now.async_errors = async_errors_;
    now.in_flight = inbox_.in_flight();
    now.waited = publisher_.queued();
    now.unsent = publisher_.unsent();
    now.waiting_bytes = publisher_.queued_bytes();
    return now;
}

asio::awaitable<bool> nats_connection::flush(deadline until)
{
    co_await publisher_.wait_until_sent(until);
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
    link_.write_now();
    replies_.shut();
    publisher_.fail_queued(fail(why));
    inbox_.fail_all(why);
    link_.close();
}

} // namespace

nats_threads::~nats_threads()
{
    if (connect_attempt::wait_for_all(std::chrono::seconds(1)))
        nats_Close();
    else
        block_intercepted_threads(); // one still resolves a name: it must not go on while the process ends
}

result<std::unique_ptr<connection>> connection::open(asio::io_context& io, const connection_options& options)
{
    auto made = std::make_unique<nats_connection>(io, options);
    if (auto opened = made->open(); opened.has_error())
        return opened.error();
    return std::unique_ptr<connection>(std::move(made));
}

} // namespace marquee
