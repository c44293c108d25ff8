#include "services/catalogue/kv_watch.hpp"

#include "broker/base/log_quota.hpp"
#include "schemas/subjects.hpp"
#include "services/catalogue/kv_message.hpp"

#include <boost/asio/post.hpp>

#include <limits>

namespace marquee
{
namespace
{

constexpr std::size_t most_waiting = 4096;
constexpr auto longest_silence = std::chrono::seconds(3); ///< while the end of the bucket has not been seen

} // namespace

kv_watch::kv_watch(connection& nats, settings what)
    : nats_(nats), what_(std::move(what)), stream_("KV_" + what_.bucket), table_(empty_table()),
      schedule_(what_.compare_every), served_(nats.context().get_executor(), most_waiting),
      read_(nats.context().get_executor(), most_waiting), silence_(nats.context()), comparison_(nats.context())
{
}

catalogue_table kv_watch::empty_table() const
{
    return catalogue_table(what_.make_index ? what_.make_index() : nullptr);
}

void kv_watch::start() { start_consumer(); }

void kv_watch::stop()
{
    dispatch(kv_watch_event::stop());
    if (consumer_)
        consumer_->stop();
    silence_.cancel();
    comparison_.cancel();
    served_.stop();
    read_.stop();
}

void kv_watch::start_consumer()
{
    ordered_consumer::settings what;
    what.stream = stream_;
    what.idle_heartbeat = what_.idle_heartbeat;
    what.reader = what_.bucket;
    what.description = "Keeps the records of marquee-" + what_.bucket + " in memory";
    consumer_ = ordered_consumer::start(
        nats_, std::move(what), [this](const std::vector<stored_message>& batch) { take(batch); },
        [this](bool up, const stream_state& bucket)
        {
            if (!up)
                return dispatch(kv_watch_event::consumer_down());
            history_ = messages_kept(bucket);
            dispatch(kv_watch_event::consumer_up{bucket});
        },
        [this](resume_failure)
        {
            // Overwritten meanwhile, as a bucket's messages are, or never in this bucket: which of
            // the two cannot be told.
            resync("the last revision seen is gone");
        });
}

void kv_watch::dispatch(const any_kv_watch_event& event)
{
    const bool was_current = fsm_.current();
    const auto todo = fsm_.on(event);
    if (was_current && !fsm_.current())
        stale_since_ = deadline::clock::now();
    for (const auto one : todo)
        execute(one);
}

void kv_watch::execute(kv_watch_action one)
{
    switch (one)
    {
    case kv_watch_action::set_history:
        newest().keep_history(history_);
        break;
    case kv_watch_action::count:
        dispatch(kv_watch_event::counted{held()});
        break;
    case kv_watch_action::await_end:
        await_end();
        break;
    case kv_watch_action::serve:
        serve();
        break;
    case kv_watch_action::compare_soon:
        compare_soon();
        break;
    case kv_watch_action::read_again:
        read_again();
        break;
    }
}

/// Replaced by a later call; void in a state that does not wait.
void kv_watch::await_end()
{
    silence_.expires_after(longest_silence);
    silence_.async_wait(
        [weak = weak_from_this(), taken = fsm_.taken()](boost::system::error_code cancelled)
        {
            if (const auto self = weak.lock(); self && !cancelled)
                self->dispatch(kv_watch_event::silence{taken});
        });
}

void kv_watch::serve()
{
    if (incoming_)
        table_ = std::move(*std::exchange(incoming_, nullptr));
    served_.applied(fsm_.taken());
    read_.applied(1);
    compare_at(schedule_.restart(deadline::clock::now()));
}

/// What was read before is served meanwhile.
void kv_watch::read_again()
{
    static limited_log resyncs(log_level::warning, "reading the bucket again");
    resyncs.write({{"bucket", what_.bucket}, {"why", fsm_.resync_reason()}});
    incoming_ = std::make_unique<catalogue_table>(empty_table());
    incoming_->keep_history(table_.history());
    changes_->clear();
    served_.applied(0); // revisions may be used again
    consumer_->stop();
    // Not here: this may run inside a handler of the consumer that would be destroyed.
    asio::post(nats_.context(),
               [weak = weak_from_this()]
               {
                   if (const auto self = weak.lock(); self && self->fsm_.state() != kv_watch_state::stopped)
                       self->start_consumer();
               });
}

void kv_watch::take(const std::vector<stored_message>& batch)
{
    const auto epoch = fsm_.epoch();
    for (const auto& m : batch)
    {
        dispatch(kv_watch_event::message{m.sequence, m.pending, kv_message::removes_all(m)});
        changes_->taken({m.sequence, m.timestamp});
        keep(m);
        counts_.taken(held());
        dispatch(kv_watch_event::counted{held()});
        if (epoch != fsm_.epoch())
            return; // the bucket is read again
    }
    if (!incoming_)
        served_.applied(fsm_.taken());
}

/// Applies a message as what it is: a record, a marker in place of one, or another subject.
void kv_watch::keep(const stored_message& m)
{
    auto& to = newest();
    const record_tag tag{m.sequence, m.timestamp};
    const bool alone = kv_message::is_alone(m);
    const auto id = asset_of(m.subject);
    if (!id)
    {
        static limited_log strangers(log_level::warning, "a key that is no asset id");
        strangers.write({{"bucket", what_.bucket}, {"subject", m.subject}});
        to.set_stranger(m.subject, tag, alone);
        return;
    }
    const bool marker = kv_message::is_marker(m);
    const bool record = !marker && (!what_.valid || what_.valid(*id, m.data));
    if (!marker && !record)
    {
        static limited_log rubbish(log_level::warning, "a value that is no record of its asset");
        rubbish.write({{"bucket", what_.bucket}, {"id", id->text()}, {"revision", std::to_string(m.sequence)}});
    }
    if (record)
        to.set(*id, m.data, tag, alone);
    else
        to.mark_deleted(*id, tag, alone);
}

void kv_watch::forget(const asset_id& id)
{
    table_.forget(id);
    ++vanished_;
}

held_count kv_watch::held() const
{
    const auto& now = incoming_ ? *incoming_ : table_;
    return {fsm_.taken(), now.entries(), now.messages()};
}

std::chrono::milliseconds kv_watch::stale_for() const
{
    if (current())
        return std::chrono::milliseconds(0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(deadline::clock::now() - stale_since_);
}

boost::json::object kv_watch::statistics() const
{
    boost::json::object data{{"records", table_.size()},
                             {"revision", taken()},
                             {"stale_for_ms", stale_for().count()},
                             {"vanished", vanished_},
                             {"read_anew", fsm_.resyncs()}};
    const auto lost = losses();
    if (consumer_ && !consumer_->name().empty())
        data["consumer"] = consumer_->name();
    data["consumer_lost"] = lost.in_a_row;
    if (lost.stuck())
        data["alarm"] = lost.text();
    return data;
}

consumer_losses kv_watch::losses() const { return fsm_.losses(consumer_ ? consumer_->losses() : consumer_losses()); }

/// None where it is no asset's: a key may have several tokens, or be no id.
std::optional<asset_id> kv_watch::asset_of(std::string_view key_subject) const
{
    auto id = asset_id::from_token(subjects::token_at(key_subject, 2));
    if (id.has_error() || key_subject != subjects::kv_entry(what_.bucket, *id).str())
        return std::nullopt;
    return std::move(*id);
}

std::uint32_t kv_watch::messages_kept(const stream_state& bucket)
{
    return bucket.history == 0 ? std::numeric_limits<std::uint32_t>::max() : bucket.history;
}

} // namespace marquee
