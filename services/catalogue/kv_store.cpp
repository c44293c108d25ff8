#include "services/catalogue/kv_store.hpp"

#include "broker/base/fault_injection.hpp"
#include "broker/base/log.hpp"
#include "broker/jetstream/publish.hpp"
#include "broker/jetstream/state_streams.hpp"
#include "broker/jetstream/stream_lookup.hpp"
#include "schemas/subjects.hpp"
#include "services/catalogue/kv_bucket.hpp"
#include "services/catalogue/kv_message.hpp"

namespace marquee
{
namespace
{

constexpr auto longest_look = std::chrono::seconds(1);  ///< for whether a record stands already
constexpr auto quiet_reading = std::chrono::seconds(2); ///< a start that reads for longer says so

/// Once the change was sent, a failure that does not come from the bucket leaves open whether it
/// was made.
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
    auto config = bucket_stream(what.bucket);
    config.replicas = what.replicas;
    config.allow_discard_old = what.allow_discard_old;
    return config;
}

kv_store::kv_store(connection& nats, settings what)
    : nats_(nats), what_(std::move(what)), stream_("KV_" + what_.bucket),
      watch_(std::make_shared<kv_watch>(nats, kv_watch::settings{what_.bucket, what_.valid, what_.compare_every,
                                                                 what_.idle_heartbeat, what_.make_index}))
{
}

kv_store::~kv_store() { watch_->stop(); }

asio::awaitable<result<void>> kv_store::open(deadline until)
{
    auto config = stream_of(what_);
    const auto made = co_await ensure_bucket(nats_, what_.bucket, std::move(config), what_.seeds, until);
    if (made.has_error())
        co_return made.error();
    watch_->start();
    auto opened = co_await watch_->wait_until_read(until.sooner(deadline::in(quiet_reading)));
    if (opened.has_error() && !until.passed())
    {
        log(log_level::info, "reading the bucket",
            {{"bucket", what_.bucket},
             {"read", std::to_string(watch_->taken())},
             {"of", std::to_string(watch_->last_in_bucket())}});
        opened = co_await watch_->wait_until_read(until);
    }
    if (opened.has_error())
        co_return fail(opened.error().code, "bucket " + what_.bucket + " could not be read in time");
    co_return result<void>();
}

const catalogue_entry* kv_store::get(const asset_id& id) const { return watch_->table().find(id); }

catalogue_page kv_store::list(std::string_view after, std::size_t limit, std::size_t max_bytes) const
{
    return watch_->table().list(after, limit, max_bytes);
}

asio::awaitable<result<record_tag>> kv_store::put(asset_id id, std::string value, expectation expected, deadline until)
{
    if (!watch_->current())
        co_return not_watching(); // memory may be old: it cannot judge what is expected
    if (expected.tag)
    {
        if (const auto seen = co_await wait_for_tag(id, *expected.tag, until); seen.has_error())
            co_return seen.error();
        if (auto allowed = watch_->table().check_put(id, expected); allowed.has_error())
            co_return allowed.error();
    }
    else if (expected.rev)
    {
        if (const auto possible = check_revision(id, *expected.rev); possible.has_error())
            co_return possible.error();
    }
    if (const auto standing = co_await find_standing(id, value, expected, until))
        co_return *standing;
    if (expected.tag)
        co_return co_await write(std::move(id), std::move(value), false, expected.tag->revision, until);
    if (expected.rev)
        if (const auto marker = watch_->table().last_revision(id); *expected.rev == 0 && marker != 0)
            co_return co_await put_over_marker(std::move(id), std::move(value), marker, until);
    co_return co_await write(std::move(id), std::move(value), false, expected.rev, until);
}

/// The tag of the record, where it has this value already and is the expected one. Memory may be
/// behind, so the bucket's leader is asked whether that record is still the last. None where it is
/// not, or cannot be asked: then the value is written.
asio::awaitable<std::optional<record_tag>> kv_store::find_standing(const asset_id& id, const std::string& value,
                                                                   const expectation& expected, deadline until)
{
    const auto* live = watch_->table().find(id);
    if (live == nullptr || live->value != value || (expected.rev && *expected.rev != live->tag.revision))
        co_return std::nullopt;
    const auto tag = live->tag;
    const auto on = subjects::kv_entry(what_.bucket, id).str();
    const auto patience = deadline::in(until.remaining() / 2).sooner(deadline::in(longest_look));
    const auto last = co_await find_last(nats_.requests(), stream_, on, patience);
    const bool stands =
        last.has_value() && *last && (*last)->sequence == tag.revision && (*last)->timestamp == tag.stored;
    co_return stands ? std::optional(tag) : std::nullopt;
}

/// What this instance knows may be behind the bucket, so only what no bucket can accept is refused.
result<void> kv_store::check_revision(const asset_id& id, revision expected) const
{
    const auto& table = watch_->table();
    const auto known = table.last_revision(id);
    const bool live = table.find(id) != nullptr;
    const bool is_current = live && expected == known;
    if ((expected == 0 && live) || (expected != 0 && expected <= known && !is_current))
        return table.check_put(id, expected);
    return {};
}

/// "Absent" means its delete marker to the bucket; or nothing, once the marker was removed, which
/// no message tells.
asio::awaitable<result<record_tag>> kv_store::put_over_marker(asset_id id, std::string value, revision marker,
                                                              deadline until)
{
    auto created = co_await write(id, value, false, marker, until);
    if (created.has_value() || !(created.error() == errc::revision_mismatch))
        co_return created;
    co_return co_await write(std::move(id), std::move(value), false, revision(0), until);
}

asio::awaitable<result<record_tag>> kv_store::erase(asset_id id, expectation expected, deadline until)
{
    for (;;)
    {
        if (!watch_->current())
            co_return not_watching();
        if (expected.tag)
            if (const auto seen = co_await wait_for_tag(id, *expected.tag, until); seen.has_error())
                co_return seen.error();
        if (auto allowed = watch_->table().check_erase(id, expected); allowed.has_error())
            co_return allowed.error();
        const auto erased = co_await write(id, std::string(), true, watch_->table().last_revision(id), until);
        if (!expected.none() || erased.has_value() || !(erased.error() == errc::revision_mismatch))
            co_return erased;
        if (const auto fresh = co_await refresh(id, until); fresh.has_error())
            co_return fresh.error();
    }
}

/// A tag newer than what this instance has seen may come from another instance: the bucket's leader
/// is asked, and the message with that tag is waited for.
asio::awaitable<result<void>> kv_store::wait_for_tag(asset_id id, record_tag tag, deadline until)
{
    if (tag.revision <= watch_->taken())
        co_return result<void>();
    const auto on = subjects::kv_entry(what_.bucket, id).str();
    const auto last = co_await find_last(nats_.requests(), stream_, on, until);
    if (last.has_error())
        co_return fail(errc::unavailable, "the bucket cannot be asked for the tag");
    if (!*last || !((*last)->sequence == tag.revision && (*last)->timestamp == tag.stored))
        co_return fail(errc::revision_mismatch, "the asset has another tag");
    if (const auto shown = co_await watch_->wait_for(tag.revision, until); shown.has_error() || !watch_->current())
        co_return fail(errc::unavailable, "this instance has not seen in time what has the tag");
    co_return result<void>();
}

/// A change was refused, so memory is behind: another change is waited for, and a key that vanished
/// is forgotten.
asio::awaitable<result<void>> kv_store::refresh(asset_id id, deadline until)
{
    const auto epoch = watch_->epoch();
    const auto known = watch_->table().last_revision(id);
    const auto on = subjects::kv_entry(what_.bucket, id).str();
    const auto last = co_await find_last(nats_.requests(), stream_, on, until);
    if (last.has_error())
        co_return fail(errc::unavailable, "the bucket cannot be asked");
    const bool as_before = epoch == watch_->epoch() && watch_->table().last_revision(id) == known;
    if (*last && as_before && (*last)->sequence < known) // only the newest of several values was removed
    {
        watch_->resync("a value was removed unseen");
        co_return not_watching();
    }
    if (*last)
        co_return co_await watch_->wait_for((*last)->sequence, until);
    if (as_before)
        watch_->forget(id);
    co_return result<void>();
}

asio::awaitable<result<record_tag>> kv_store::write(asset_id id, std::string value, bool marker,
                                                    std::optional<revision> expected, deadline until)
{
    if (!watch_->current())
        co_return not_watching();
    header_list headers;
    if (marker)
        headers.set(kv_message::header_operation, "DEL");
    if (expected && !fault_injected("change_without_comparing"))
        headers.set("Nats-Expected-Last-Subject-Sequence", std::to_string(*expected));
    const auto to = subjects::kv_entry(what_.bucket, id);
    const std::string no_id;
    if (until.passed())
        co_return fail(errc::timeout, "no time was left; nothing was sent");
    const auto before = watch_->taken();
    const auto changes = watch_->changes();
    const change_log::change change(changes, before);
    const auto stored = co_await publish_stored(nats_.requests(), to, std::move(value), no_id, until, headers);
    if (stored.has_error() && stored.error() == errc::revision_mismatch)
        watch_->compare_soon(); // the record in memory may have vanished from the bucket
    if (stored.has_error())
        co_return change_failure(stored.error());
    if (fault_injected("change_acked_before_served"))
        co_return record_tag{stored->sequence, std::chrono::nanoseconds(0)};
    // A sequence that was taken: deleted and made again, and no heartbeat is missed yet.
    if (stored->sequence <= before && watch_->current())
        watch_->resync("it is another one than before");
    const auto shown = co_await watch_->wait_for(stored->sequence, until);
    if (shown.has_error() || watch_->table().last_revision(id) < stored->sequence)
        co_return fail(errc::outcome_unknown, "the bucket has it; this instance has not seen it in time");
    // A value that is replaced at once is never delivered. Its revision is not the latest any more,
    // and a tag without a time matches nothing.
    const record_tag replaced{stored->sequence, std::chrono::nanoseconds(0)};
    co_return changes->find(stored->sequence).value_or(replaced);
}

std::chrono::milliseconds kv_store::stale_for() const { return watch_->stale_for(); }

boost::json::value kv_store::statistics() const { return watch_->statistics(); }

} // namespace marquee
