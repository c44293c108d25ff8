#include "services/catalogue/kv_store.hpp"

#include "broker/log_quota.hpp"
#include "broker/planted_fault.hpp"
#include "broker/start_wait.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace marquee
{
namespace
{

constexpr std::string_view header_operation = "KV-Operation";
constexpr std::size_t most_waiting = 4096;
constexpr auto bucket_patience = std::chrono::seconds(30); ///< how long JetStream may take to come up, e.g. to elect a leader
constexpr auto bucket_attempt = std::chrono::seconds(2);   ///< the first one; each may take twice as long as the one before
constexpr auto bucket_retry = std::chrono::milliseconds(200);
constexpr auto quiet_reading = std::chrono::seconds(2);   ///< a start that reads for longer says so
constexpr auto longest_silence = std::chrono::seconds(3); // while the end of the bucket has not been seen

/// Once the change has left, a failure that does not come from the bucket leaves open whether it was made.
error change_failure(const error& why)
{
    if (why == errc::timeout || why == errc::disconnected || why == errc::stopping || why == errc::malformed_reply)
        return fail(errc::outcome_unknown, "the bucket did not answer in time");
    if (why == errc::no_responders)
        return fail(errc::unavailable, "the bucket is not there");
    return why;
}

/// A marker of ADR-8 in place of a value. Whatever else stands in that header, and in others, the message is a value.
bool is_marker(const header_list& headers)
{
    const auto operation = headers.get(header_operation);
    return operation == "DEL" || operation == "PURGE";
}

error not_watching() { return fail(errc::unavailable, "the bucket cannot be watched"); }

} // namespace

stream_config kv_store::stream_of(const settings& what)
{
    stream_config config;
    config.name = "KV_" + what.bucket;
    config.subject = "$KV." + what.bucket + ".>";
    config.replicas = what.replicas;
    config.key_value = true;
    config.allow_discard_old = what.allow_discard_old;
    config.description = "Records of marquee-" + what.bucket + ", one key for each asset";
    return config;
}

kv_store::kv_store(connection& nats, settings what)
    : nats_(nats), what_(std::move(what)), served_(nats.context().get_executor(), most_waiting),
      opened_(nats.context().get_executor(), most_waiting), silence_(nats.context())
{
}

kv_store::~kv_store()
{
    *alive_ = false;
    if (watch_)
        watch_->stop();
}

asio::awaitable<result<void>> kv_store::open(deadline until)
{
    const auto made = co_await make(until);
    if (made.has_error())
        co_return made.error();
    watch_from_start();
    auto opened = co_await opened_.wait(1, until.sooner(deadline::in(quiet_reading)));
    if (opened.has_error() && !until.passed())
    {
        log(log_level::info, "reading the bucket",
            {{"bucket", what_.bucket}, {"read", std::to_string(taken_)}, {"of", std::to_string(bucket_.last_sequence)}});
        opened = co_await opened_.wait(1, until);
    }
    if (opened.has_error())
        co_return fail(opened.error().code, "bucket " + what_.bucket + " could not be read in time");
    co_return result<void>();
}

/// While a cluster elects a leader, its servers refuse some requests and do not answer others. Doing it all once more does no harm.
asio::awaitable<result<void>> kv_store::make(deadline until)
{
    const auto patience = until.sooner(deadline::in(bucket_patience));
    start_wait waiting(nats_, "bucket " + what_.bucket);
    asio::steady_timer pause(nats_.context());
    for (auto time = bucket_attempt;; time = std::min(2 * time, bucket_patience))
    {
        const auto attempt = patience.sooner(deadline::in(time));
        auto config = stream_of(what_);
        const auto bucket = co_await ensure_stream(nats_.requests(), std::move(config), attempt);
        result<void> done;
        if (bucket.has_error())
            done = bucket.error();
        else
            done = co_await seed(bucket->last_sequence, attempt);
        if (done.has_value())
            co_return done;
        const auto why = waiting.judge(done.error());
        if (why == errc::bad_request || patience.remaining() < bucket_retry)
            co_return why;
        pause.expires_after(bucket_retry);
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await pause.async_wait(token);
    }
}

/// A seed is written only into a bucket that never held more than the seeds before it (`written` messages), and only if nobody was faster: nothing deleted since
/// comes back. Not by `Nats-Expected-Last-Sequence`: after refusals of that kind a server of a cluster that is killed stores its last message once
/// more (nats-server 2.10).
asio::awaitable<result<void>> kv_store::seed(std::uint64_t written, deadline until)
{
    if (written > 0 && written < what_.seeds.size() && !planted("seeds_always"))
    {
        const auto seeded = co_await holds_seeds(written, until);
        if (seeded.has_error())
            co_return seeded.error();
        if (!*seeded)
            co_return result<void>();
    }
    for (std::size_t i = planted("seeds_always") ? 0 : written; i < what_.seeds.size(); ++i)
    {
        header_list headers;
        if (!planted("seeds_always"))
            headers.set("Nats-Expected-Last-Subject-Sequence", "0");
        const auto to = subjects::kv_entry(what_.bucket, what_.seeds[i].id);
        const auto value = what_.seeds[i].value;
        const std::string no_id;
        const auto stored = co_await publish_stored(nats_.requests(), to, value, no_id, until, headers);
        if (stored.has_error() && !(stored.error() == errc::revision_mismatch))
            co_return stored.error();
    }
    co_return result<void>();
}

/// Whether the bucket's first messages are seeds; else somebody uses it who wants none.
asio::awaitable<result<bool>> kv_store::holds_seeds(std::uint64_t written, deadline until)
{
    for (std::uint64_t i = 0; i < written; ++i)
    {
        const auto expected = subjects::kv_entry(what_.bucket, what_.seeds[i].id).str();
        const auto stream = "KV_" + what_.bucket;
        const auto found = co_await find_message(nats_.requests(), stream, i + 1, until);
        if (found.has_error())
            co_return found.error();
        if (!*found || (*found)->subject != expected)
            co_return false;
    }
    co_return true;
}

const catalogue_entry* kv_store::get(const asset_id& id) const { return table_.find(id); }

catalogue_page kv_store::list(std::string_view after, std::size_t limit, std::size_t max_bytes) const
{
    return table_.list(after, limit, max_bytes);
}

asio::awaitable<result<revision>> kv_store::put(asset_id id, std::string value, std::optional<revision> expected, deadline until)
{
    if (!watching())
        co_return not_watching(); // what stands here may be old: no verdict on `expected`
    if (expected)
    {
        // What this instance knows may be behind the bucket, so only what no bucket could accept is refused here.
        const auto known = table_.last_revision(id);
        const bool live = table_.find(id) != nullptr;
        if ((*expected == 0 && live) || (*expected != 0 && *expected <= known && !(live && *expected == known)))
            co_return table_.check_put(id, expected).error();
        if (*expected == 0 && known != 0)
        {
            // Absent, to the bucket, is its delete marker; or nothing, once the marker was removed, of which no watch tells.
            auto created = co_await write(id, value, false, known, until);
            if (created.has_value() || !(created.error() == errc::revision_mismatch))
                co_return created;
        }
    }
    co_return co_await write(std::move(id), std::move(value), false, expected, until);
}

asio::awaitable<result<revision>> kv_store::erase(asset_id id, std::optional<revision> expected, deadline until)
{
    for (;;)
    {
        if (!watching())
            co_return not_watching();
        if (auto allowed = table_.check_erase(id, expected); allowed.has_error())
            co_return allowed.error();
        const auto seen = taken_;
        const auto erased = co_await write(id, std::string(), true, table_.last_revision(id), until);
        if (expected || erased.has_value() || !(erased.error() == errc::revision_mismatch))
            co_return erased;
        // Somebody else changed it at the same moment: look again once their change is here.
        const auto next = co_await served_.wait(seen + 1, until);
        if (next.has_error())
            co_return next.error();
    }
}

asio::awaitable<result<revision>> kv_store::write(asset_id id, std::string value, bool marker, std::optional<revision> expected,
                                                  deadline until)
{
    if (!watching())
        co_return not_watching();
    header_list headers;
    if (marker)
        headers.set(header_operation, "DEL");
    if (expected && !planted("change_without_comparing"))
        headers.set("Nats-Expected-Last-Subject-Sequence", std::to_string(*expected));
    const auto to = subjects::kv_entry(what_.bucket, id);
    const std::string no_id;
    if (until.passed())
        co_return fail(errc::timeout, "no time was left; nothing was sent");
    const auto before = taken_;
    const auto stored = co_await publish_stored(nats_.requests(), to, std::move(value), no_id, until, headers);
    if (stored.has_error())
        co_return change_failure(stored.error());
    if (planted("change_acked_before_served"))
        co_return stored->sequence;
    if (stored->sequence <= before && watching()) // a sequence that was taken: deleted and made anew, and no heartbeat missed yet
        read_anew("it is another one than before");
    const auto shown = co_await served_.wait(stored->sequence, until);
    if (shown.has_error() || table_.last_revision(id) < stored->sequence)
        co_return fail(errc::outcome_unknown, "the bucket has it; this instance has not seen it in time");
    co_return stored->sequence;
}

void kv_store::watch_from_start()
{
    ordered_consumer::settings what;
    what.stream = "KV_" + what_.bucket;
    watch_ = ordered_consumer::start(
        nats_, std::move(what), [this](const std::vector<stored_message>& batch) { take(batch); },
        [this](bool up, const stream_state& bucket) { watch_changed(up, bucket); },
        [this](lost_place)
        {
            // Overwritten meanwhile, as a bucket's messages are, or never in this bucket: which of the two cannot be told.
            read_anew("the last revision seen is gone");
        });
}

/// Everything anew, from the start of the bucket; what there is is served meanwhile.
void kv_store::watch_again()
{
    if (watching())
        stale_since_ = deadline::clock::now();
    up_ = complete_ = false;
    incoming_ = std::make_unique<catalogue_table>();
    strangers_.clear();
    created_.clear();
    taken_ = 0;
    served_.applied(0); // revisions may be used again
    watch_->stop();
    // Not here: this runs inside a handler of the consumer that would be destroyed.
    asio::post(nats_.context(),
               [this, alive = alive_]
               {
                   if (*alive)
                       watch_from_start();
               });
}

void kv_store::watch_changed(bool up, const stream_state& bucket)
{
    if (!up)
    {
        if (std::exchange(up_, false) && complete_)
            stale_since_ = deadline::clock::now();
        complete_ = false;
        return;
    }
    const bool another = !created_.empty() && (bucket.created != created_ || bucket.last_sequence < taken_);
    if (another)
    {
        read_anew("it is another one than before");
        return;
    }
    up_ = true;
    created_ = bucket.created;
    bucket_ = bucket;
    resumed_ = taken_ > 0;
    at_end_ = bucket.messages == 0;
    look_if_complete();
    expect_the_end();
}

/// The last messages of a bucket may have been removed. After a message before them `pending` tells; when none is left to come, nothing does.
void kv_store::expect_the_end()
{
    if (!up_ || complete_)
        return;
    silence_.expires_after(longest_silence);
    silence_.async_wait(
        [this, alive = alive_, seen = taken_](boost::system::error_code cancelled)
        {
            if (cancelled || !*alive || !up_ || complete_)
                return;
            if (taken_ == seen)
                read_anew("nothing tells where the bucket ends");
            else
                expect_the_end();
        });
}

void kv_store::read_anew(std::string_view why)
{
    static limited_log rereads(log_level::warning, "reading the bucket anew");
    rereads.write({{"bucket", what_.bucket}, {"why", std::string(why)}});
    ++rereads_;
    why_reread_ = why;
    watch_again();
}

void kv_store::take(const std::vector<stored_message>& batch)
{
    for (const auto& m : batch)
    {
        apply(m);
        if (!complete_)
            look_if_complete();
        if (!up_)
            return; // it was not what it seemed, and is read anew
    }
    if (!incoming_)
        served_.applied(taken_);
}

void kv_store::apply(const stored_message& m)
{
    taken_ = m.sequence;
    at_end_ = m.pending == 0;
    auto& to = incoming_ ? *incoming_ : table_;
    const auto id = asset_id::from_token(subjects::token_at(m.subject, 2));
    if (id.has_error() || m.subject != subjects::kv_entry(what_.bucket, *id).str()) // a key may have several tokens
    {
        static limited_log strangers(log_level::warning, "a key that is no asset id");
        strangers.write({{"bucket", what_.bucket}, {"subject", m.subject}});
        strangers_.insert(m.subject);
        return;
    }
    const bool marker = is_marker(m.headers);
    const bool record = !marker && (!what_.valid || what_.valid(*id, m.data));
    if (!marker && !record)
    {
        static limited_log rubbish(log_level::warning, "a value that is no record of its asset");
        rubbish.write({{"bucket", what_.bucket}, {"id", id->text()}, {"revision", std::to_string(m.sequence)}});
    }
    if (record)
        to.set(*id, m.data, m.sequence);
    else
        to.mark_deleted(*id, m.sequence);
}

/// Looks whether everything that stood in the bucket when the watch was put in place has come.
void kv_store::look_if_complete()
{
    if (complete_ || (taken_ < bucket_.last_sequence && !at_end_))
        return;
    // What was removed while nobody watched leaves no trace but the number of messages: one for each key.
    const auto& now = incoming_ ? *incoming_ : table_;
    if (resumed_ && now.entries() + strangers_.size() != bucket_.messages)
    {
        read_anew("messages were removed unseen");
        return;
    }
    if (incoming_)
        table_ = std::move(*std::exchange(incoming_, nullptr));
    complete_ = true;
    rereads_ = 0;
    served_.applied(taken_);
    opened_.applied(1);
}

std::chrono::milliseconds kv_store::stale_for() const
{
    if (watching())
        return std::chrono::milliseconds(0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(deadline::clock::now() - stale_since_);
}

boost::json::value kv_store::statistics() const
{
    boost::json::object data{{"records", table_.size()}, {"revision", taken_}, {"stale_for_ms", stale_for().count()}};
    const auto lost = losses();
    data["consumer_lost"] = lost.in_a_row;
    if (lost.stuck())
        data["alarm"] = lost.text();
    return data;
}

/// To read the bucket anew means a new consumer, and tells as much as a loss.
consumer_losses kv_store::losses() const
{
    consumer_losses all;
    if (watch_)
        all = watch_->losses();
    if (all.in_a_row == 0 && rereads_ > 0)
        all.why = why_reread_;
    all.in_a_row += rereads_;
    return all;
}

} // namespace marquee
