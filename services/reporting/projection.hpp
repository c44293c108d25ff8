// The views, counted: a projection of stream EVENTS in an SQLite file of its own.
#pragma once

#include "broker/jetstream.hpp"
#include "schemas/event.hpp"
#include "schemas/messages.hpp"
#include "services/reporting/counting_rule.hpp"
#include "services/reporting/database.hpp"
#include "services/reporting/stream_identity.hpp"

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace marquee
{

struct projection_settings
{
    std::string path;
    std::chrono::nanoseconds dedupe_window = std::chrono::hours(24); ///< of a new file; an older one has its own
    bool accept_loss = false; ///< go on where events that were due are gone from the stream
};

/// How far the projection is. Every member but the last three is a function of the stream and the rule alone: equal after a rebuild.
struct projection_progress
{
    std::string stream_id;                      ///< of the stream this projects; empty: it has none, or is not known yet
    std::uint64_t last_sequence = 0;            ///< everything up to here is counted
    std::chrono::nanoseconds last_timestamp{0}; ///< when the stream stored the message at last_sequence; 0: not known
    std::uint64_t applied = 0;                  ///< events counted
    std::uint64_t duplicates = 0;
    std::uint64_t rejected = 0;
    std::uint64_t last_reject_sequence = 0;
    std::string last_reject_reason;
    std::uint64_t skipped = 0; ///< messages that were gone from the stream before they were counted, where that was accepted
    std::uint64_t rule_since =
        0; ///< what was counted up to here may be by another rule, kept because the stream no longer had it; 0: all is by this
    bool rebuilt = false; ///< a rebuild that was asked for is done
};

/// What can be done with the file.
enum class file_condition
{
    sound = 1,
    full,  ///< the disk is: nothing of the last change was made, and the next may be tried
    broken ///< neither written nor read any more; end the program
};

/// The event that took an id.
struct first_use
{
    std::string asset;
    std::string user;
    std::uint64_t sequence = 0;
};

/// The views by the rule of counting (counting_rule.hpp): no rebuild or batch size changes a count, and rows may be pruned at any time after they are forgotten.
///
/// Failures are `unavailable` with what SQLite said. After a failed `apply` nothing of it is in the file, and condition() tells what now. Single-threaded;
/// one process a file.
class projection
{
public:
    /// Opens or creates the file, and checks that it is whole. It is locked by FILE.lock; or, with `lock`, by one that the caller has taken.
    [[nodiscard]] static result<projection> open(projection_settings settings, std::shared_ptr<file_lock> lock = nullptr);

    /// In place of one that cannot be used: in memory, with nothing counted.
    [[nodiscard]] static projection none();

    projection(projection&&) noexcept;
    projection& operator=(projection&&) noexcept;
    ~projection();

    /// What the file was counted by. Counting goes on by the present version, and by the file's own window.
    [[nodiscard]] const counting_rule& rule() const noexcept;

    /// The counts stay, and count as counted by `rule` from here on; `since` becomes rule_since. Commits.
    [[nodiscard]] result<void> take_over(const counting_rule& rule, std::uint64_t since);

    /// Sets the mark `rebuilt`. Commits.
    [[nodiscard]] result<void> mark_rebuilt(bool rebuilt);

    /// Commits, and leaves nothing in the log; false where another process still reads from it. To be called before the file is moved.
    [[nodiscard]] result<bool> empty_log();

    /// Compares with the stream (judge_stream). A new projection takes it as its own. Fails with `unavailable`, naming the cure, where it is another
    /// one, or no longer has the next event due. With `accept_loss` counting goes on at the first event that is left; at another stream only the first
    /// attach() does, behind its end.
    [[nodiscard]] result<void> attach(const stream_state& stream, last_counted last = last_counted::not_looked);

    /// Counts messages, in stream order, in memory: every answer includes them at once, and the stream has them if this process dies. Those counted before
    /// are skipped; the last of them must have the timestamp it had, else the stream is another one: `unavailable`.
    [[nodiscard]] result<void> stage(std::span<const stored_message> messages);

    /// Writes what was staged in one transaction with its last sequence. After a failure, as after one of stage and attach, progress() is back at what was
    /// written: the messages after it must be read again.
    [[nodiscard]] result<void> commit();

    /// The same in parts, so that what else the thread has to do need not wait for all of it: the first call begins a transaction of what was staged so far, each
    /// writes about `rows` rows, the last commits. True: nothing is under way any more. What is staged meanwhile belongs to the next transaction.
    [[nodiscard]] result<bool> write_some(std::size_t rows);

    /// Messages staged and not yet written.
    [[nodiscard]] std::uint64_t uncommitted() const noexcept;

    /// Equivalent to stage() followed by commit().
    [[nodiscard]] result<void> apply(std::span<const stored_message> messages);

    /// 0 where there is none.
    [[nodiscard]] result<std::uint64_t> asset_views(const asset_id& id);
    [[nodiscard]] result<std::uint64_t> user_views(const user_id& id);

    /// The most viewed assets, most first; equals in byte order of the ids.
    [[nodiscard]] result<std::vector<views_reply>> top(std::size_t limit);

    /// The event that was counted for this id, and that one stored just after the last counted would repeat.
    [[nodiscard]] result<std::optional<first_use>> find_use(const std::string& event_id);

    [[nodiscard]] const projection_progress& progress() const noexcept;

    [[nodiscard]] file_condition condition() const noexcept;

    /// Everything that a rebuild must reproduce, as text in one canonical order.
    [[nodiscard]] result<void> dump(std::ostream& out);

private:
    class state;
    explicit projection(std::unique_ptr<state> s);
    std::unique_ptr<state> state_;
};

} // namespace marquee
