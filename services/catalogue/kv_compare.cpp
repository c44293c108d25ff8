// How kv_watch finds records that vanish without a message: values expire, operators purge.
#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log.hpp"
#include "broker/jetstream/stream_lookup.hpp"
#include "services/catalogue/kv_watch.hpp"

#include <unordered_set>

namespace marquee
{
namespace
{

constexpr auto comparison_patience = std::chrono::seconds(2);

} // namespace

void kv_watch::compare_at(compare_schedule::time_point when)
{
    comparison_.expires_at(when);
    comparison_.async_wait(
        [weak = weak_from_this()](boost::system::error_code cancelled)
        {
            if (const auto self = weak.lock(); self && !cancelled)
                self->begin_comparison();
        });
}

void kv_watch::compare_soon()
{
    const bool running = schedule_.state() != compare_state::scheduled;
    if (!running && !current())
        return;
    if (const auto sooner = schedule_.sign(deadline::clock::now()))
        compare_at(*sooner);
}

void kv_watch::begin_comparison()
{
    if (!current() || !schedule_.begin())
        return;
    co_spawn_logged("comparing a bucket with what is held of it", nats_.context().get_executor(), compare(),
                    [self = shared_from_this()](bool)
                    {
                        const auto next = self->schedule_.end(deadline::clock::now());
                        if (self->fsm_.state() != kv_watch_state::stopped)
                            self->compare_at(next);
                    });
}

/// What is not in the bucket any more is dropped by name; where that does not explain the
/// difference, the bucket is read again.
asio::awaitable<void> kv_watch::compare()
{
    const auto self = shared_from_this();
    if (!current()) // since it was started; after stop() the connection may be gone
        co_return;
    const auto began = epoch();
    auto same = co_await equals_bucket();
    if (began != epoch() || !same)
        co_return;
    if (*same)
    {
        schedule_.agreed();
        co_return;
    }
    const bool dropped = co_await drop_what_is_gone();
    if (began != epoch())
        co_return;
    if (dropped)
        same = co_await equals_bucket();
    if (began != epoch() || !same || *same)
        co_return;
    schedule_.disagreed();
    resync("it holds less than is held of it, or more");
}

/// None where it cannot be told now.
asio::awaitable<std::optional<bool>> kv_watch::equals_bucket()
{
    const auto began = epoch();
    const auto unknown = std::optional<bool>();
    counts_.begin(held());
    const auto there = co_await find_stream(nats_.requests(), stream_, deadline::in(comparison_patience));
    if (there.has_error() || began != epoch())
    {
        counts_.end();
        co_return unknown;
    }
    if (messages_kept(*there) != table_.history()) // an operator's edit: what is counted follows the old one
    {
        counts_.end();
        table_.keep_history(messages_kept(*there));
        schedule_.repeat();
        co_return unknown;
    }
    const auto taken = co_await served_.wait(there->last_sequence, deadline::in(comparison_patience));
    const auto verdict = began == epoch() ? judge(*there, taken) : unknown;
    if (!verdict)
        schedule_.repeat();
    counts_.end();
    co_return verdict;
}

/// `there`: the bucket as it answered; `taken`: whether everything in it then has come.
std::optional<bool> kv_watch::judge(const stream_state& there, const result<void>& taken)
{
    const auto here = counts_.at(there.last_sequence);
    // What was removed at once is not delivered at all: the last of all messages, perhaps, and then
    // nothing more is to come.
    const bool removed_at_end = fsm_.at_end() && taken.has_error() && taken.error() == errc::timeout;
    if (!here || !(counts_.complete_to(there.last_sequence) || removed_at_end))
        return std::nullopt;
    const held_count counted{there.last_sequence, there.subjects, there.messages};
    return here->same_amount(counted);
}

/// Returns whether something was dropped.
asio::awaitable<bool> kv_watch::drop_what_is_gone()
{
    const auto began = epoch();
    const auto there = co_await find_subjects(nats_.requests(), stream_, deadline::in(comparison_patience));
    if (began != epoch() || there.has_error() || !there->whole)
        co_return false;
    std::unordered_set<std::string> keys;
    for (const auto& each : there->subjects)
    {
        const auto id = asset_of(each);
        keys.insert(id ? catalogue_table::key_of(*id) : catalogue_table::key_of_stranger(each));
    }
    const auto gone = table_.keep_only(keys, there->last_sequence);
    vanished_ += gone;
    if (gone > 0)
        log(log_level::warning, "keys vanished from the bucket without a delete marker",
            {{"bucket", what_.bucket}, {"keys", std::to_string(gone)}});
    co_return gone > 0;
}

} // namespace marquee
