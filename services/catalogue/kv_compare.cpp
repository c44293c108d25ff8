// How records that vanish without a message are found: a value may expire, and an operator may purge.
#include "broker/log.hpp"
#include "broker/spawn.hpp"
#include "broker/stream_lookup.hpp"
#include "services/catalogue/kv_store.hpp"

#include <algorithm>

namespace marquee
{
namespace
{

constexpr auto comparison_patience = std::chrono::seconds(2);
constexpr auto soon = std::chrono::milliseconds(50);            ///< signs come in numbers
constexpr auto pause_between = std::chrono::milliseconds(1000); ///< of comparisons that signs ask for
constexpr int most_doublings = 4;                               ///< of the time between comparisons that do not help

} // namespace

held_count kv_store::held() const
{
    const auto& now = incoming_ ? *incoming_ : table_;
    return {taken_, now.entries(), now.messages()};
}

/// A bucket whose messages expire all the time is read anew ever less often.
std::chrono::milliseconds kv_store::pause_to_compare() const
{
    return what_.compare_every * (1 << std::min(disagreements_, most_doublings));
}

void kv_store::compare_in(std::chrono::milliseconds delay)
{
    comparison_.expires_after(delay);
    comparison_.async_wait(
        [this, alive = alive_](boost::system::error_code cancelled)
        {
            if (cancelled || !*alive || comparing_ || !watching())
                return;
            comparing_ = true;
            compare_again_ = false;
            spawn("comparing a bucket with what is held of it", nats_.context().get_executor(), compare(alive),
                  [this, alive](bool)
                  {
                      if (*alive)
                          compared();
                  });
        });
}

void kv_store::compared()
{
    comparing_ = false;
    compared_at_ = deadline::clock::now();
    compare_in(pause_to_compare());
    if (compare_again_)
        compare_soon();
}

/// There is a sign that something may have vanished.
void kv_store::compare_soon()
{
    compare_again_ = comparing_;
    if (comparing_ || !watching())
        return;
    const auto now = deadline::clock::now();
    const auto at = std::max(now + soon, compared_at_ + std::min(pause_between, what_.compare_every));
    if (at < comparison_.expiry())
        compare_in(std::chrono::duration_cast<std::chrono::milliseconds>(at - now));
}

/// What is not in the bucket any more is dropped by name; where that does not explain the difference, all is read anew.
asio::awaitable<void> kv_store::compare(std::shared_ptr<const bool> alive)
{
    if (!*alive)
        co_return;
    const auto watch = watches_;
    auto same = co_await holds_what_is_there();
    if (!*alive || watch != watches_ || !same)
        co_return;
    if (*same)
    {
        disagreements_ = 0;
        co_return;
    }
    const bool dropped = co_await drop_what_is_gone();
    if (!*alive || watch != watches_)
        co_return;
    if (dropped)
        same = co_await holds_what_is_there();
    if (!*alive || watch != watches_ || !same || *same)
        co_return;
    ++disagreements_;
    read_anew("it holds less than is held of it, or more");
}

/// Nothing where it cannot be told now.
asio::awaitable<std::optional<bool>> kv_store::holds_what_is_there()
{
    const auto alive = alive_;
    const auto watch = watches_;
    const auto unknown = std::optional<bool>();
    counts_.begin(held());
    const auto stream = "KV_" + what_.bucket;
    const auto there = co_await find_stream(nats_.requests(), stream, deadline::in(comparison_patience));
    if (!*alive)
        co_return unknown;
    if (there.has_error() || watch != watches_)
    {
        counts_.end();
        co_return unknown;
    }
    if (messages_kept(*there) != table_.history()) // an operator's edit: messages counted meanwhile are counted by the old one
    {
        counts_.end();
        table_.keep_history(messages_kept(*there));
        compare_again_ = true;
        co_return unknown;
    }
    const auto seen = co_await served_.wait(there->last_sequence, deadline::in(comparison_patience));
    if (!*alive)
        co_return unknown;
    const auto here = counts_.at(there->last_sequence);
    // What was removed at once is not delivered at all: the last of all messages, perhaps, and then nothing more is to come.
    const bool all_taken =
        counts_.complete_to(there->last_sequence) || (at_end_ && seen.has_error() && seen.error() == errc::timeout);
    counts_.end();
    if (watch != watches_ || !here || !all_taken)
    {
        compare_again_ = true;
        co_return unknown;
    }
    const held_count counted{there->last_sequence, there->subjects, there->messages};
    co_return std::optional<bool>(here->same_amount(counted));
}

/// Returns whether something was dropped.
asio::awaitable<bool> kv_store::drop_what_is_gone()
{
    const auto alive = alive_;
    const auto watch = watches_;
    const auto stream = "KV_" + what_.bucket;
    const auto there = co_await find_subjects(nats_.requests(), stream, deadline::in(comparison_patience));
    if (!*alive || watch != watches_ || there.has_error() || !there->whole)
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
