#include "services/catalogue/kv_store.hpp"

#include "broker/log.hpp"
#include "broker/planted_fault.hpp"
#include "broker/start_wait.hpp"
#include "broker/stream_lookup.hpp"

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
constexpr auto quiet_reading = std::chrono::seconds(2); ///< a start that reads for longer says so

/// Once the change has left, a failure that does not come from the bucket leaves open whether it was made.
error change_failure(const error& why)
{
    if (why == errc::timeout || why == errc::disconnected || why == errc::stopping || why == errc::malformed_reply)
        return fail(errc::outcome_unknown, "the bucket did not answer in time");
    if (why == errc::no_responders)
        return fail(errc::unavailable, "the bucket is not there");
    return why;
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
      opened_(nats.context().get_executor(), most_waiting), silence_(nats.context()), comparison_(nats.context())
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

asio::awaitable<result<record_tag>> kv_store::put(asset_id id, std::string value, expectation expected, deadline until)
{
    if (!watching())
        co_return not_watching(); // what stands here may be old: no verdict on what is expected
    if (expected.tag)
    {
        if (const auto seen = co_await see(id, *expected.tag, until); seen.has_error())
            co_return seen.error();
        if (auto allowed = table_.check_put(id, expected); allowed.has_error())
            co_return allowed.error();
        co_return co_await write(std::move(id), std::move(value), false, expected.tag->revision, until);
    }
    if (expected.rev)
    {
        // What this instance knows may be behind the bucket, so only what no bucket could accept is refused here.
        const auto number = *expected.rev;
        const auto known = table_.last_revision(id);
        const bool live = table_.find(id) != nullptr;
        if ((number == 0 && live) || (number != 0 && number <= known && !(live && number == known)))
            co_return table_.check_put(id, expected).error();
        if (number == 0 && known != 0)
        {
            // Absent, to the bucket, is its delete marker; or nothing, once the marker was removed, of which no watch tells.
            auto created = co_await write(id, value, false, known, until);
            if (created.has_value() || !(created.error() == errc::revision_mismatch))
                co_return created;
        }
    }
    co_return co_await write(std::move(id), std::move(value), false, expected.rev, until);
}

asio::awaitable<result<record_tag>> kv_store::erase(asset_id id, expectation expected, deadline until)
{
    for (;;)
    {
        if (!watching())
            co_return not_watching();
        if (expected.tag)
            if (const auto seen = co_await see(id, *expected.tag, until); seen.has_error())
                co_return seen.error();
        if (auto allowed = table_.check_erase(id, expected); allowed.has_error())
            co_return allowed.error();
        const auto erased = co_await write(id, std::string(), true, table_.last_revision(id), until);
        if (!expected.none() || erased.has_value() || !(erased.error() == errc::revision_mismatch))
            co_return erased;
        if (const auto looked = co_await look_again(id, until); looked.has_error())
            co_return looked.error();
    }
}

/// A tag that is newer than what this instance has seen may be another instance's: the bucket's leader is asked, and what it has is waited for.
asio::awaitable<result<void>> kv_store::see(asset_id id, record_tag tag, deadline until)
{
    if (tag.revision <= taken_)
        co_return result<void>();
    const auto on = subjects::kv_entry(what_.bucket, id).str();
    const auto stream = "KV_" + what_.bucket;
    const auto last = co_await find_last(nats_.requests(), stream, on, until);
    if (last.has_error())
        co_return fail(errc::unavailable, "the bucket cannot be asked for the tag");
    if (!*last || !((*last)->sequence == tag.revision && (*last)->timestamp == tag.stored))
        co_return fail(errc::revision_mismatch, "the asset has another tag");
    if (const auto shown = co_await served_.wait(tag.revision, until); shown.has_error() || !watching())
        co_return fail(errc::unavailable, "this instance has not seen in time what has the tag");
    co_return result<void>();
}

/// A change was refused, so the record is no longer as it stands here: somebody else's change is waited for, and what has vanished is forgotten.
asio::awaitable<result<void>> kv_store::look_again(asset_id id, deadline until)
{
    const auto watch = watches_;
    const auto known = table_.last_revision(id);
    const auto on = subjects::kv_entry(what_.bucket, id).str();
    const auto stream = "KV_" + what_.bucket;
    const auto last = co_await find_last(nats_.requests(), stream, on, until);
    if (last.has_error())
        co_return fail(errc::unavailable, "the bucket cannot be asked");
    const bool as_before = watch == watches_ && table_.last_revision(id) == known;
    if (*last && as_before && (*last)->sequence < known) // only the newest of several values was removed
    {
        read_anew("a value was removed unseen");
        co_return not_watching();
    }
    if (*last)
        co_return co_await served_.wait((*last)->sequence, until);
    if (as_before)
    {
        table_.forget(id);
        ++vanished_;
    }
    co_return result<void>();
}

asio::awaitable<result<record_tag>> kv_store::write(asset_id id, std::string value, bool marker, std::optional<revision> expected,
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
    const change_log::change under_way(changes_, taken_);
    const auto stored = co_await publish_stored(nats_.requests(), to, std::move(value), no_id, until, headers);
    if (stored.has_error() && stored.error() == errc::revision_mismatch)
        compare_soon(); // what stands here may have vanished
    if (stored.has_error())
        co_return change_failure(stored.error());
    if (planted("change_acked_before_served"))
        co_return record_tag{stored->sequence, std::chrono::nanoseconds(0)};
    if (stored->sequence <= before && watching()) // a sequence that was taken: deleted and made anew, and no heartbeat missed yet
        read_anew("it is another one than before");
    const auto shown = co_await served_.wait(stored->sequence, until);
    if (shown.has_error() || table_.last_revision(id) < stored->sequence)
        co_return fail(errc::outcome_unknown, "the bucket has it; this instance has not seen it in time");
    // What others replaced at once is never delivered. Its revision stands no more, and with no time it is a tag that nothing meets.
    const record_tag replaced{stored->sequence, std::chrono::nanoseconds(0)};
    co_return changes_->find(stored->sequence).value_or(replaced);
}

std::chrono::milliseconds kv_store::stale_for() const
{
    if (watching())
        return std::chrono::milliseconds(0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(deadline::clock::now() - stale_since_);
}

boost::json::value kv_store::statistics() const
{
    boost::json::object data{{"records", table_.size()},
                             {"revision", taken_},
                             {"stale_for_ms", stale_for().count()},
                             {"vanished", vanished_},
                             {"read_anew", times_read_anew_}};
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
