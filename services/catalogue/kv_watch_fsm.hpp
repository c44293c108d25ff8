// When a bucket in memory equals the bucket of the broker: rules without I/O. kv_watch executes the
// actions; tests need no server.
#pragma once

#include "broker/jetstream/ordered_consumer.hpp"
#include "services/catalogue/held_counts.hpp"

#include <boost/container/static_vector.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace marquee
{

///     down ──▶ reading ───▶ current
///      ▲ ╲───▶ resuming ──▶   │
///      └─── lost, or resync ──┘
///
/// A resync reads the bucket again from its beginning into a new table, in place of one that cannot
/// be trusted; what was read before is served meanwhile.
enum class kv_watch_state
{
    down = 1, ///< no consumer: memory may be behind
    reading,  ///< reads the bucket from its beginning
    resuming, ///< reads on after a loss; messages may have been removed meanwhile
    current,  ///< has everything that was in the bucket when the consumer was made, and follows it
    stopped   ///< final
};

namespace kv_watch_event
{

/// The consumer exists; the state of the bucket when it was made.
struct consumer_up
{
    const stream_state& bucket;
};
struct consumer_down
{
};
/// A message comes, and will be counted.
struct message
{
    std::uint64_t sequence = 0;
    std::uint64_t pending = 0;   ///< messages of the bucket after it, when it was sent
    bool removes_others = false; ///< from other subjects, too
};
/// What memory holds now that everything up to the last message is counted.
struct counted
{
    held_count held;
};
/// A while passed since await_end; `taken` is the revision of that time.
struct silence
{
    std::uint64_t taken = 0;
};
/// Memory is found to differ from the bucket.
struct differs
{
    std::string_view why;
};
struct stop
{
};

} // namespace kv_watch_event

using any_kv_watch_event =
    std::variant<kv_watch_event::consumer_up, kv_watch_event::consumer_down, kv_watch_event::message,
                 kv_watch_event::counted, kv_watch_event::silence, kv_watch_event::differs, kv_watch_event::stop>;

/// To be executed in order.
enum class kv_watch_action
{
    set_history = 1, ///< the table counts as many messages of each subject as the bucket keeps
    count,           ///< answer with `counted`
    await_end,       ///< `silence` after a while
    serve,           ///< the table is whole: serve it
    compare_soon,    ///< there is a sign that messages vanished
    read_again       ///< a new table and a new consumer from the beginning; why: resync_reason()
};

using kv_watch_actions = boost::container::static_vector<kv_watch_action, 4>;

/// Not thread-safe.
class kv_watch_fsm
{
public:
    /// The transition function.
    [[nodiscard]] kv_watch_actions on(const any_kv_watch_event& event);

    [[nodiscard]] kv_watch_state state() const noexcept { return state_; }

    /// Memory equals the bucket, but for changes that are on their way.
    [[nodiscard]] bool current() const noexcept { return state_ == kv_watch_state::current; }

    /// Changes whenever the consumer is lost or begins again: what was found out before is void.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

    /// The revision of the last message.
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

    /// No message was to come after it, when it was sent.
    [[nodiscard]] bool at_end() const noexcept { return at_end_; }

    /// Of the bucket, when the consumer was made.
    [[nodiscard]] std::uint64_t last_sequence() const noexcept { return bucket_.last_sequence; }

    [[nodiscard]] const std::string& resync_reason() const noexcept { return resync_reason_; }

    /// Since the start.
    [[nodiscard]] std::uint64_t resyncs() const noexcept { return resyncs_; }

    /// A resync makes a new consumer, and counts as a loss until the bucket is read.
    [[nodiscard]] consumer_losses losses(consumer_losses of_consumer) const;

private:
    using actions = kv_watch_actions;

    actions apply(const kv_watch_event::consumer_up& up);
    actions apply(const kv_watch_event::consumer_down&);
    actions apply(const kv_watch_event::message& next);
    actions apply(const kv_watch_event::counted& now);
    actions apply(const kv_watch_event::silence& since);
    actions apply(const kv_watch_event::differs& found);
    actions apply(const kv_watch_event::stop&);

    [[nodiscard]] bool catching_up() const noexcept;
    actions resync(std::string_view why);
    void enter(kv_watch_state next) noexcept { state_ = next; }

    /// What is remembered of the bucket's state when the consumer was made.
    struct bucket_state
    {
        std::string created; ///< tells another bucket of the same name; empty: not known
        std::uint64_t last_sequence = 0;
        std::uint64_t messages = 0;
        std::uint64_t subjects = 0;
    };

    kv_watch_state state_ = kv_watch_state::down;
    std::uint64_t epoch_ = 0;
    bucket_state bucket_;
    std::uint64_t taken_ = 0;
    bool at_end_ = false;
    std::uint64_t resyncs_ = 0;
    std::uint64_t resyncs_in_a_row_ = 0; ///< without coming to the bucket's end
    std::string resync_reason_;
};

} // namespace marquee
