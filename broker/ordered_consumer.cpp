#include "broker/jetstream.hpp"

#include "broker/delivery.hpp"
#include "broker/log_quota.hpp"
#include "broker/planted_fault.hpp"
#include "broker/spawn.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <exception>
#include <utility>

namespace marquee
{

namespace
{

namespace json = boost::json;
using namespace std::chrono_literals;

/// By the answer to its creation.
bool has_nothing_to_deliver(const json::object& consumer)
{
    const auto* pending = consumer.if_contains("num_pending");
    const auto* delivered = consumer.if_contains("delivered");
    if (pending == nullptr || delivered == nullptr || !delivered->is_object())
        return false;
    const auto* sequence = delivered->as_object().if_contains("consumer_seq");
    return *pending == 0 && sequence != nullptr && *sequence == 0;
}

constexpr auto request_timeout = 2s; // without a leader a request is lost, not refused
constexpr auto first_backoff = 50ms;
constexpr auto longest_backoff = 2000ms;

class ordered_consumer_impl : public std::enable_shared_from_this<ordered_consumer_impl>
{
public:
    ordered_consumer_impl(connection& nats, ordered_consumer::settings what, ordered_consumer::batch_handler on_batch,
                          ordered_consumer::state_handler on_state, ordered_consumer::place_handler on_lost_place)
        : nats_(nats), what_(std::move(what)), on_batch_(std::move(on_batch)), on_state_(std::move(on_state)),
          on_lost_place_(std::move(on_lost_place)), place_(what_.after), watchdog_(nats.context()), retry_(nats.context())
    {
    }

    void start();
    void stop();
    [[nodiscard]] const consumer_losses& losses() const noexcept { return losses_; }

private:
    void begin();
    asio::awaitable<void> attach(std::uint64_t round);
    asio::awaitable<result<stream_state>> create(std::uint64_t round);
    void arrived(std::uint64_t round, message msg);
    void control(const control_message& told);
    bool is_place(const delivery& where);
    void announce();
    void drop();
    void take(message msg, const delivery& where);
    void hand_over();
    void lost(std::string_view why);
    void threw();
    void count_loss(std::string_view why);
    void goes_well();
    void retry_later();
    void watch();
    std::string create_payload(const std::string& inbox) const;

    connection& nats_;
    ordered_consumer::settings what_;
    ordered_consumer::batch_handler on_batch_;
    ordered_consumer::state_handler on_state_;
    ordered_consumer::place_handler on_lost_place_;

    stream_position place_;               ///< the last message handed over or batched
    bool looking_for_place_ = false;      ///< this consumer has not delivered anything yet, and begins with the message at place_
    std::uint64_t consumer_sequence_ = 0; ///< of the last message delivered by this consumer
    std::uint64_t round_ = 0;             ///< counts consumers; what belongs to an older one is void
    stream_state state_;                  ///< of the stream when the consumer was made
    bool attached_ = false;               ///< a consumer is in place, or being made
    bool up_ = false;                     ///< and the handler knows
    bool working_ = false;                ///< an attempt is under way
    bool stopped_ = false;
    bool heard_ = false; ///< something arrived since the watchdog looked
    int silent_ = 0;
    consumer_losses losses_;
    std::string inbox_; ///< the deliver subject of the consumer
    std::shared_ptr<void> link_;
    std::shared_ptr<subscription> sub_;
    std::vector<stored_message> batch_;
    std::chrono::milliseconds backoff_ = first_backoff;
    asio::steady_timer watchdog_;
    asio::steady_timer retry_;
};

void ordered_consumer_impl::start()
{
    link_ = nats_.on_link_change(
        [weak = weak_from_this()](bool up)
        {
            auto self = weak.lock(); // kept: a handler may destroy the consumer
            if (!self || self->stopped_)
                return;
            if (up)
                self->begin();
            else
                self->lost("the broker link is down");
        });
    if (nats_.connected())
        begin();
}

void ordered_consumer_impl::stop()
{
    stopped_ = true;
    ++round_;
    batch_.clear();
    link_.reset();
    sub_.reset();
    watchdog_.cancel();
    retry_.cancel();
}

void ordered_consumer_impl::begin()
{
    if (working_ || attached_ || stopped_ || !nats_.connected())
        return;
    working_ = true;
    spawn("setting up a consumer", nats_.context().get_executor(), attach(++round_),
          [self = shared_from_this()](bool failed)
          {
              if (failed)
                  self->threw();
          });
}

/// A handler did, or memory ran out: as good as a loss.
void ordered_consumer_impl::threw()
{
    working_ = false;
    if (stopped_)
        return;
    ++round_;
    watchdog_.cancel();
    count_loss("its set-up threw an exception");
    drop();
    if (!stopped_)
        retry_later();
}

/// Asks for the stream's state, then makes the consumer: nothing is delivered before on_state has seen the state.
asio::awaitable<void> ordered_consumer_impl::attach(std::uint64_t round)
{
    auto self = shared_from_this();
    auto made = co_await create(round);
    working_ = false;
    if (stopped_)
        co_return;
    if (made.has_value() && round == round_)
        co_return;
    if (made.has_error())
    {
        static limited_log failures(log_level::warning, "no consumer on the stream yet");
        failures.write(
            {{"stream", what_.stream}, {"error", std::string(name_of(made.error().code))}, {"detail", made.error().detail}});
        if (round == round_)
            count_loss("it cannot be made: " + made.error().detail);
    }
    if (round == round_)
        drop();
    if (!stopped_)
        retry_later();
}

asio::awaitable<result<stream_state>> ordered_consumer_impl::create(std::uint64_t round)
{
    const auto until = deadline::in(request_timeout);
    auto state = co_await find_stream(nats_.requests(), what_.stream, until);
    if (state.has_error() || round != round_)
        co_return state;
    inbox_ = nats_.new_inbox();
    const auto inbox = inbox_;
    auto sub = nats_.subscribe(inbox, {},
                               [this, round, weak = weak_from_this()](message msg)
                               {
                                   if (auto alive = weak.lock())
                                       arrived(round, std::move(msg));
                               });
    if (sub.has_error())
        co_return sub.error();
    sub_ = std::move(*sub);
    consumer_sequence_ = 0;
    silent_ = 0;
    looking_for_place_ = place_.timestamp.count() != 0 && !planted("place_not_checked");
    if (round > 1 && planted("resume_skips_one"))
        place_ = {place_.sequence + 1, std::chrono::nanoseconds(0)};
    attached_ = true;
    state_ = *state;
    if (!looking_for_place_)
        announce();
    if (round != round_ || stopped_)
        co_return state;

    const auto subject = subject::of({"$JS", "API", "CONSUMER", "CREATE", what_.stream});
    const auto payload = create_payload(inbox);
    const header_list none;
    auto pending = nats_.requests().request(subject, payload, none, until);
    auto reply = co_await pending.receive();
    if (reply.has_error())
        co_return reply.error();
    boost::system::error_code ec;
    auto parsed = json::parse(reply->data, ec);
    if (ec || !parsed.is_object())
        co_return fail(errc::malformed_reply, "JetStream answered no JSON object");
    if (const auto* failure = parsed.as_object().if_contains("error"))
        co_return fail(errc::unavailable, json::serialize(*failure));
    if (round == round_ && has_nothing_to_deliver(parsed.as_object()) && std::exchange(looking_for_place_, false))
    {
        announce();
        if (!stopped_)
            on_lost_place_(lost_place::gone);
    }
    if (round == round_)
        watch();
    co_return state;
}

std::string ordered_consumer_impl::create_payload(const std::string& inbox) const
{
    const auto heartbeat = std::chrono::nanoseconds(what_.idle_heartbeat).count();
    json::object config{{"deliver_subject", inbox},
                        {"deliver_policy", "by_start_sequence"},
                        {"opt_start_seq", looking_for_place_ ? place_.sequence : place_.sequence + 1},
                        {"ack_policy", "none"},
                        {"max_deliver", 1},
                        {"replay_policy", "instant"},
                        {"flow_control", true},
                        {"idle_heartbeat", heartbeat},
                        {"mem_storage", true},
                        {"num_replicas", 1}};
    return json::serialize(json::object{{"stream_name", what_.stream}, {"config", std::move(config)}});
}

void ordered_consumer_impl::arrived(std::uint64_t round, message msg)
{
    if (round != round_ || stopped_)
        return;
    if (const auto told = parse_control(msg, inbox_))
    {
        control(*told);
        return;
    }
    // A stored message comes with its own subject. Whatever its headers say, it is data.
    const auto where = msg.subject == inbox_ ? std::nullopt : parse_delivery(msg.reply);
    if (!where)
    {
        static limited_log strangers(log_level::warning, "a message that no consumer sent");
        strangers.write({{"stream", what_.stream}, {"subject", msg.subject}});
        return;
    }
    heard_ = true;
    if (where->consumer_sequence != consumer_sequence_ + 1)
    {
        lost("a message is missing");
        return;
    }
    consumer_sequence_ = where->consumer_sequence;
    bool at_place = false;
    try
    {
        at_place = is_place(*where);
    }
    catch (...)
    {
        log_exception("telling that a consumer is in place", std::current_exception());
        lost("its set-up threw an exception");
        return;
    }
    if (!at_place && !stopped_)
        take(std::move(msg), *where);
}

/// Is this the message at the place, delivered once more by a new consumer? Nothing is said to be up before that is known.
bool ordered_consumer_impl::is_place(const delivery& where)
{
    if (!std::exchange(looking_for_place_, false))
        return false;
    const bool there = where.stream_sequence == place_.sequence;
    const bool same = there && where.timestamp == place_.timestamp.count();
    if (there && !same)
    {
        stop();
        on_lost_place_(lost_place::another);
        return false;
    }
    announce();
    if (!there && !stopped_)
        on_lost_place_(lost_place::gone);
    return same;
}

void ordered_consumer_impl::announce()
{
    up_ = true;
    on_state_(true, state_);
}

/// What was announced is taken back. An exception of the handler ends nothing.
void ordered_consumer_impl::drop()
{
    sub_.reset();
    attached_ = false;
    if (!std::exchange(up_, false))
        return;
    const stream_state unknown;
    try
    {
        on_state_(false, unknown);
    }
    catch (...)
    {
        log_exception("telling of a lost consumer", std::current_exception());
    }
}

/// Heartbeats and flow control (status 100), or the end of the consumer (409 and others).
void ordered_consumer_impl::control(const control_message& told)
{
    heard_ = true;
    if (told.status != 100)
    {
        lost(told.description);
        return;
    }
    if (!told.go_on.empty()) // what came before has been taken
        (void)nats_.publish(std::string(told.go_on), {});
    if (!told.last_consumer_sequence)
        return;
    if (*told.last_consumer_sequence != consumer_sequence_)
        lost("a heartbeat tells of messages that did not arrive");
    else if (told.go_on.empty())
        goes_well(); // a consumer that is neither stalled nor behind
}

void ordered_consumer_impl::take(message msg, const delivery& where)
{
    goes_well();
    place_ = {where.stream_sequence, std::chrono::nanoseconds(where.timestamp)};
    stored_message stored;
    stored.subject = std::move(msg.subject);
    stored.data = std::move(msg.data);
    stored.headers = std::move(msg.headers);
    stored.sequence = where.stream_sequence;
    stored.timestamp = std::chrono::nanoseconds(where.timestamp);
    stored.pending = where.pending;
    batch_.push_back(std::move(stored));
    if (batch_.size() == 1)
        asio::post(nats_.context(),
                   [weak = weak_from_this()]
                   {
                       if (auto self = weak.lock())
                           self->hand_over();
                   });
}

void ordered_consumer_impl::hand_over()
{
    if (stopped_ || batch_.empty())
        return;
    on_batch_(std::exchange(batch_, {}));
}

void ordered_consumer_impl::lost(std::string_view why)
{
    ++round_;
    watchdog_.cancel();
    hand_over(); // what is in the batch is in order and counts
    if (stopped_)
        return;
    if (attached_)
    {
        static limited_log losses(log_level::warning, "the consumer is lost and will be made again");
        losses.write({{"stream", what_.stream}, {"why", std::string(why)}});
        count_loss(why);
    }
    drop();
    if (!stopped_ && !working_)
        retry_later();
}

/// A link that goes down is no fault of a place in the stream.
void ordered_consumer_impl::count_loss(std::string_view why)
{
    if (!nats_.connected())
        return;
    ++losses_.in_a_row;
    losses_.after = place_.sequence;
    losses_.why = why;
}

void ordered_consumer_impl::goes_well()
{
    losses_.in_a_row = 0;
    backoff_ = first_backoff;
}

void ordered_consumer_impl::retry_later()
{
    retry_.expires_after(backoff_);
    backoff_ = std::min<std::chrono::milliseconds>(backoff_ * 2, longest_backoff);
    retry_.async_wait(
        [weak = weak_from_this()](boost::system::error_code ec)
        {
            if (auto self = weak.lock(); self && !ec)
                self->begin();
        });
}

/// Three heartbeats in a row without a sign of life: the consumer is gone, whatever the link says.
void ordered_consumer_impl::watch()
{
    heard_ = false;
    watchdog_.expires_after(what_.idle_heartbeat);
    watchdog_.async_wait(
        [weak = weak_from_this(), round = round_](boost::system::error_code ec)
        {
            auto self = weak.lock();
            if (!self || ec || round != self->round_ || self->stopped_)
                return;
            self->silent_ = self->heard_ ? 0 : self->silent_ + 1;
            if (self->silent_ < 3)
            {
                self->watch();
                return;
            }
            self->silent_ = 0;
            self->lost("no heartbeat");
        });
}

/// The handle: the implementation itself outlives it while a coroutine of its own is under way.
class ordered_consumer_handle final : public ordered_consumer
{
public:
    explicit ordered_consumer_handle(std::shared_ptr<ordered_consumer_impl> impl) : impl_(std::move(impl)) { impl_->start(); }
    ~ordered_consumer_handle() override { impl_->stop(); }
    void stop() override { impl_->stop(); }
    const consumer_losses& losses() const noexcept override { return impl_->losses(); }

private:
    std::shared_ptr<ordered_consumer_impl> impl_;
};

} // namespace

std::string consumer_losses::text() const
{
    return "the consumer is lost again and again after sequence " + std::to_string(after) + ": " + why;
}

std::unique_ptr<ordered_consumer> ordered_consumer::start(connection& nats, settings what, batch_handler on_batch,
                                                          state_handler on_state, place_handler on_lost_place)
{
    auto impl = std::make_shared<ordered_consumer_impl>(nats, std::move(what), std::move(on_batch), std::move(on_state),
                                                        std::move(on_lost_place));
    return std::make_unique<ordered_consumer_handle>(std::move(impl));
}

} // namespace marquee
