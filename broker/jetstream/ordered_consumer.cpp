#include "broker/jetstream/ordered_consumer.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log_quota.hpp"
#include "broker/jetstream/create_consumer.hpp"
#include "broker/jetstream/ordered_consumer_fsm.hpp"
#include "broker/nats/connection.hpp"
#include "broker/nats/delivery.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <utility>

namespace marquee
{
namespace
{

namespace event = consumer_event;

constexpr auto request_timeout = std::chrono::seconds(2); // without a leader a request is lost, not refused

/// The message being processed: its content where it is a stored one, else what JetStream says.
struct received
{
    message* stored = nullptr;
    delivery where = {};
    control_message control = {};
};

limited_log& lost_log()
{
    static limited_log log(log_level::warning, "the consumer is lost and will be made again");
    return log;
}

/// Attempts of this process, whatever they read: two objects that read one stream one after the
/// other do not ask for the same name.
std::uint64_t next_attempt()
{
    static std::atomic<std::uint64_t> made{0};
    return ++made;
}

struct consumer_handlers
{
    ordered_consumer::batch_handler on_batch;
    ordered_consumer::state_handler on_state;
    ordered_consumer::resume_failure_handler on_resume_failure;
};

/// Executes the actions of ordered_consumer_fsm. Once stopped it may outlive the connection.
class ordered_consumer_io : public std::enable_shared_from_this<ordered_consumer_io>
{
public:
    ordered_consumer_io(connection& nats, ordered_consumer::settings what, consumer_handlers handlers)
        : nats_(nats), what_(std::move(what)), handlers_(std::move(handlers)), fsm_(what_.after),
          watchdog_(nats.context()), retry_(nats.context())
    {
    }

    void start();
    void stop() { dispatch(event::stop()); }
    [[nodiscard]] bool stopped() const noexcept { return fsm_.state() == consumer_state::stopped; }
    [[nodiscard]] const consumer_losses& losses() const noexcept { return fsm_.losses(); }
    [[nodiscard]] const std::string& name() const noexcept { return config_.name; }

private:
    void dispatch(const any_consumer_event& event, received* from = nullptr);
    void execute(const consumer_actions& todo, received* from);
    bool execute_one(consumer_action one, received* from);
    template <class Handler>
    bool report(const Handler& handler);
    void on_message(std::uint64_t epoch, message msg);

    void begin_attempt();
    asio::awaitable<void> attempt();
    asio::awaitable<result<event::created>> create();
    result<void> subscribe();

    void take(received& from);
    void hand_out();
    void start_timer(asio::steady_timer& timer, std::chrono::milliseconds time, any_consumer_event when_due);
    void release();

    connection& nats_;
    const ordered_consumer::settings what_;
    const consumer_handlers handlers_;

    ordered_consumer_fsm fsm_;
    stream_state stream_;    ///< when the last consumer was made
    consumer_config config_; ///< of the last consumer
    std::shared_ptr<void> link_;
    std::shared_ptr<subscription> sub_;
    std::vector<stored_message> batch_;
    asio::steady_timer watchdog_;
    asio::steady_timer retry_;
};

void ordered_consumer_io::start()
{
    link_ = nats_.on_link_change(
        [weak = weak_from_this()](bool up)
        {
            const auto self = weak.lock(); // kept: a handler may destroy the consumer
            if (self)
                self->dispatch(up ? any_consumer_event(event::link_up()) : any_consumer_event(event::link_down()));
        });
    dispatch(event::link_up()); // void where the link is down
}

void ordered_consumer_io::dispatch(const any_consumer_event& event, received* from)
{
    if (!stopped()) // else the connection may be gone
        execute(fsm_.on(event, nats_.connected()), from);
}

void ordered_consumer_io::execute(const consumer_actions& todo, received* from)
{
    const bool ended = stopped();
    for (const auto one : todo)
    {
        if (!execute_one(one, from) || (!ended && stopped())) // stopped: by a handler
            return;
    }
}

/// Returns false where the rest of the actions is void.
bool ordered_consumer_io::execute_one(consumer_action one, received* from)
{
    switch (one)
    {
    case consumer_action::announce:
        return report([this] { handlers_.on_state(true, stream_); });
    case consumer_action::report_gone:
        return report([this] { handlers_.on_resume_failure(resume_failure::gone); });
    case consumer_action::report_another:
        return report([this] { handlers_.on_resume_failure(resume_failure::another); });
    case consumer_action::withdraw:
        (void)report([this] { handlers_.on_state(false, stream_state()); }); // lost already: the rest is due
        break;
    case consumer_action::hand_out:
        hand_out();
        break;
    case consumer_action::begin_attempt:
        begin_attempt();
        break;
    case consumer_action::take_message:
        take(*from);
        break;
    case consumer_action::reply_to_flow:
        (void)nats_.publish(std::string(from->control.go_on), {});
        break;
    case consumer_action::log_loss:
        lost_log().write({{"stream", what_.stream}, {"why", fsm_.loss_reason()}});
        break;
    case consumer_action::unsubscribe:
        sub_.reset();
        break;
    case consumer_action::start_watchdog:
        start_timer(watchdog_, config_.idle_heartbeat, event::watchdog_due{fsm_.epoch()});
        break;
    case consumer_action::cancel_watchdog:
        watchdog_.cancel();
        break;
    case consumer_action::start_retry:
        start_timer(retry_, fsm_.retry_delay(), event::retry_due());
        break;
    case consumer_action::release:
        release();
        break;
    }
    return true;
}

/// Returns false where the handler threw.
template <class Handler>
bool ordered_consumer_io::report(const Handler& handler)
{
    try
    {
        handler();
        return true;
    }
    catch (...)
    {
        log_exception("reporting on a consumer", std::current_exception());
    }
    dispatch(event::handler_threw());
    return false;
}

void ordered_consumer_io::on_message(std::uint64_t epoch, message msg)
{
    if (!fsm_.listens(epoch))
        return;
    received from;
    if (const auto told = parse_control(msg, config_.deliver_subject))
    {
        from.control = *told;
        dispatch(event::controlled{epoch, told->status, told->description, !told->go_on.empty(),
                                   told->last_consumer_sequence},
                 &from);
        return;
    }
    // A stored message comes with its own subject. It is data, whatever its headers say.
    const auto where = msg.subject == config_.deliver_subject ? std::nullopt : parse_delivery(msg.reply);
    if (!where)
    {
        static limited_log strangers(log_level::warning, "a message that no consumer sent");
        strangers.write({{"stream", what_.stream}, {"subject", msg.subject}});
        return;
    }
    from = {&msg, *where, {}};
    const stream_position position{where->stream_sequence, std::chrono::nanoseconds(where->timestamp)};
    dispatch(event::delivered{epoch, position, where->consumer_sequence}, &from);
}

void ordered_consumer_io::begin_attempt()
{
    co_spawn_logged("setting up a consumer", nats_.context().get_executor(), attempt(),
                    [self = shared_from_this()](bool threw)
                    {
                        if (threw)
                            self->dispatch(event::attempt_threw());
                    });
}

asio::awaitable<void> ordered_consumer_io::attempt()
{
    const auto self = shared_from_this();
    if (stopped())
        co_return;
    const auto made = co_await create();
    if (made.has_value())
        dispatch(*made);
    if (made.has_value() || stopped())
        co_return;
    static limited_log failures(log_level::warning, "no consumer on the stream yet");
    failures.write({{"stream", what_.stream},
                    {"error", std::string(name_of(made.error().code))},
                    {"detail", made.error().detail}});
    dispatch(event::not_created{made.error().detail});
}

/// Asks for the stream's state first: on_state has seen it before anything is delivered.
asio::awaitable<result<event::created>> ordered_consumer_io::create()
{
    const auto until = deadline::in(request_timeout);
    auto state = co_await find_stream(nats_.requests(), what_.stream, until);
    if (state.has_error())
        co_return state.error();
    if (!fsm_.attempting())
        co_return event::created();
    stream_ = std::move(*state);
    config_ = consumer_for(what_, nats_.identity().instance, next_attempt(), stream_);
    if (const auto subscribed = subscribe(); subscribed.has_error())
        co_return subscribed.error();
    dispatch(event::stream_found());
    if (!fsm_.attempting())
        co_return event::created();

    config_.start_sequence = fsm_.start_sequence();
    const auto consumer = co_await create_consumer(nats_.requests(), config_, until);
    if (consumer.has_error())
        co_return consumer.error();
    co_return event::created{consumer->nothing_to_deliver};
}

result<void> ordered_consumer_io::subscribe()
{
    config_.deliver_subject = nats_.new_inbox();
    auto sub = nats_.subscribe(config_.deliver_subject, {},
                               [weak = weak_from_this(), epoch = fsm_.epoch()](message msg)
                               {
                                   if (const auto self = weak.lock())
                                       self->on_message(epoch, std::move(msg));
                               });
    if (sub.has_error())
        return sub.error();
    sub_ = std::move(*sub);
    return {};
}

void ordered_consumer_io::take(received& from)
{
    stored_message stored;
    stored.subject = std::move(from.stored->subject);
    stored.data = std::move(from.stored->data);
    stored.headers = std::move(from.stored->headers);
    stored.sequence = from.where.stream_sequence;
    stored.timestamp = std::chrono::nanoseconds(from.where.timestamp);
    stored.pending = from.where.pending;
    batch_.push_back(std::move(stored));
    fsm_.taken({batch_.back().sequence, batch_.back().timestamp});
    if (batch_.size() == 1)
        asio::post(nats_.context(),
                   [weak = weak_from_this()]
                   {
                       if (const auto self = weak.lock())
                           self->hand_out();
                   });
}

void ordered_consumer_io::hand_out()
{
    if (!batch_.empty())
        handlers_.on_batch(std::exchange(batch_, {}));
}

void ordered_consumer_io::start_timer(asio::steady_timer& timer, std::chrono::milliseconds time,
                                      any_consumer_event when_due)
{
    timer.expires_after(time);
    timer.async_wait(
        [weak = weak_from_this(), when_due](boost::system::error_code cancelled)
        {
            if (const auto self = weak.lock(); self && !cancelled)
                self->dispatch(when_due);
        });
}

void ordered_consumer_io::release()
{
    batch_.clear();
    link_.reset();
    sub_.reset();
    watchdog_.cancel();
    retry_.cancel();
}

class ordered_consumer_handle final : public ordered_consumer
{
public:
    explicit ordered_consumer_handle(std::shared_ptr<ordered_consumer_io> io) : io_(std::move(io)) { io_->start(); }
    ~ordered_consumer_handle() override { io_->stop(); }
    void stop() override { io_->stop(); }
    const consumer_losses& losses() const noexcept override { return io_->losses(); }
    const std::string& name() const noexcept override { return io_->name(); }

private:
    std::shared_ptr<ordered_consumer_io> io_;
};

} // namespace

std::unique_ptr<ordered_consumer> ordered_consumer::start(connection& nats, settings what, batch_handler on_batch,
                                                          state_handler on_state,
                                                          resume_failure_handler on_resume_failure)
{
    consumer_handlers handlers{std::move(on_batch), std::move(on_state), std::move(on_resume_failure)};
    return std::make_unique<ordered_consumer_handle>(
        std::make_shared<ordered_consumer_io>(nats, std::move(what), std::move(handlers)));
}

} // namespace marquee
