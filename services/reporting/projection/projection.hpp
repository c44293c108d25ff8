// The views, counted: a projection of stream EVENTS in an SQLite file of its own.
#pragma once

#include "broker/jetstream/stored_message.hpp"
#include "broker/jetstream/streams.hpp"
#include "schemas/event.hpp"
#include "schemas/messages.hpp"
#include "services/reporting/projection/counting_rule.hpp"
#include "services/reporting/projection/database_file.hpp"
#include "services/reporting/projection/projection_progress.hpp"
#include "services/reporting/projection/staged_rows.hpp"
#include "services/reporting/projection/staged_steps.hpp"
#include "services/reporting/projection/steps.hpp"
#include "services/reporting/projection/stream_identity.hpp"
#include "services/reporting/projection/taken_ids.hpp"
#include "services/reporting/projection/view_records.hpp"
#include "services/reporting/projection/views_sink.hpp"

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace marquee
{

class projection_file;
class event_reader;

/// Takes the counts of the events of a message, as they are counted (contract, section 2: "a batch
/// of an edge").
class counts_sink
{
public:
    virtual ~counts_sink() = default;

    /// Whether counts of this message are wanted.
    [[nodiscard]] virtual bool wants(const stored_message& m) = 0;

    /// `lines`: for each event `assetviews userviews` as they are at this event, or the name of an
    /// error code, with an LF. What is counted may still be rolled back when stage() fails.
    virtual void counted(const stored_message& m, std::string lines) = 0;
};

/// An upper bound of the events that a message holds, or several: what counting them costs.
[[nodiscard]] std::size_t most_events_in(const stored_message& m);
[[nodiscard]] std::size_t most_events_in(std::span<const stored_message> messages);

/// Counts by the rule of counting_rule.hpp. Neither batch sizes nor rebuilds change a count.
///
/// Failures are `unavailable`, with what SQLite said. After a failure nothing of the failed change
/// is in the file, and condition() tells what can be done. Single-threaded; one process per file.
class projection
{
public:
    /// Opens or creates the file, and checks that its counts add up. It is locked by FILE.lock, or,
    /// where `lock` is given, by a lock that the caller has taken.
    [[nodiscard]] static result<projection> open(projection_settings settings,
                                                 std::shared_ptr<file_lock> lock = nullptr);

    /// A projection in memory with nothing counted, in place of one that cannot be used.
    [[nodiscard]] static projection none();

    projection(projection&&) noexcept;
    projection& operator=(projection&&) noexcept;
    ~projection();

    // The file and its stream (projection.cpp).

    /// The rule that the file was counted by. Counting goes on by the present version of the rule
    /// and by the file's own window.
    [[nodiscard]] const counting_rule& rule() const noexcept { return rule_; }

    /// Keeps the counts as if they were counted by `rule`; progress().rule_since becomes `since`.
    /// Commits.
    [[nodiscard]] result<void> take_over(const counting_rule& rule, std::uint64_t since);

    /// Sets progress().rebuilt. Commits.
    [[nodiscard]] result<void> mark_rebuilt(bool rebuilt);

    /// Commits and empties the log; false where another process reads from it. To be called before
    /// the file is moved.
    [[nodiscard]] result<bool> empty_log();

    /// Compares the stream with the one that was counted (judge_stream). A new projection takes any
    /// stream as its own. Fails with `unavailable`, naming the cure, where the stream is another
    /// one or no longer has the next event due. With `accept_loss` counting goes on at the first
    /// event that is left, or, on the first attach() only, at the end of another stream.
    [[nodiscard]] result<void> attach(const stream_state& stream, last_counted last = last_counted::not_looked);

    // Counting (projection_counting.cpp).

    /// Counts messages, in stream order, in memory; a correction is written at once, with all
    /// before it. Reads include them at once; if the process dies before commit(), they are counted
    /// again from the stream. Messages counted before are skipped; where the last of them has
    /// another timestamp than it had, the stream is another one: `unavailable`. `counts`: who wants
    /// the counts of messages that are counted now.
    [[nodiscard]] result<void> stage(std::span<const stored_message> messages, counts_sink* counts = nullptr);

    /// `sink` gets every view that stage() counts, until the next call; null: nobody does.
    void follow(views_sink* sink) noexcept { follower_ = sink; }

    /// Writes what was staged, and its last sequence, in one transaction. After a failure of
    /// commit(), stage() or attach() progress() is back at what was written: the messages after it
    /// must be staged again.
    [[nodiscard]] result<void> commit();

    /// Equivalent to commit(), in parts, so that other work of the thread has turns in between. The
    /// first call begins a transaction of what was staged so far, each call writes about `rows`
    /// rows, and the last one commits. Returns true when no transaction is open. What is staged
    /// meanwhile belongs to the next transaction.
    [[nodiscard]] result<bool> write_some(std::size_t rows);

    /// An erasure is counted at once, and answers are as if nothing of the user were left. The rows
    /// that name the user beside event ids are found by going through all of them: hide_some()
    /// looks at about `rows` of them, and hides its own in a transaction. False: there is nothing
    /// more to be done now, also while a transaction of write_some() is open.
    [[nodiscard]] result<bool> hide_some(std::size_t rows);
    [[nodiscard]] bool has_hidings() const noexcept;

    /// Events staged and not yet written, with those that were rejected.
    [[nodiscard]] std::uint64_t uncommitted() const noexcept;

    /// Equivalent to stage() followed by commit().
    [[nodiscard]] result<void> apply(std::span<const stored_message> messages);

    // Reading (projection_reading.cpp, projection_periods.cpp). Includes what is staged.

    /// 0 where there is none.
    [[nodiscard]] result<std::uint64_t> asset_views(const asset_id& id);
    [[nodiscard]] result<std::uint64_t> user_views(const user_id& id);

    /// The sequence of the message that erased the user last; 0 where none did, or where it is a
    /// dedupe window older than a later erasure.
    [[nodiscard]] result<std::uint64_t> erased_at(const user_id& id);

    /// The last erasures by messages after `after`, up to `through`, as far as they are kept: the
    /// base32_sha256() of the user's id and the sequence of the message. `limit` at most.
    [[nodiscard]] result<std::vector<std::pair<std::string, std::uint64_t>>>
    erasures(std::uint64_t after, std::uint64_t through, std::size_t limit);

    /// The most viewed assets, most first; equal ones in byte order of their ids.
    [[nodiscard]] result<std::vector<views_reply>> top(std::size_t limit);

    /// None where there are no views.
    [[nodiscard]] result<std::optional<asset_record>> asset(const asset_id& id);
    [[nodiscard]] result<std::optional<user_record>> user(const user_id& id);

    /// The assets whose ids follow `after`, in byte order.
    [[nodiscard]] result<std::vector<asset_record>> assets_after(const std::string& after, std::size_t limit);

    /// The assets that the user has viewed, the latest first, equal ones in byte order of their
    /// ids; those that follow the place `after`. None where the user has no views.
    [[nodiscard]] result<std::optional<std::vector<seen_record>>>
    history(const user_id& id, const std::optional<history_place>& after, std::size_t limit);

    /// Views in each step, of an asset or of all. None where the asset has no views at all.
    [[nodiscard]] result<std::optional<std::vector<std::uint64_t>>> series(const step_range& steps,
                                                                           const std::optional<asset_id>& of);

    /// As top(), of the views in the steps; assets without views in them are left out. Reads every
    /// step that sum_next() has not added up: in proportion to the assets in each.
    [[nodiscard]] result<std::vector<views_reply>> top(const step_range& steps, std::size_t limit);

    /// Prepares top() of the steps, one step a call, so that other work of the thread has turns in
    /// between. True where all are added up: top() then looks at each asset once, until four other
    /// ranges of the kind were asked for later, or something is rolled back.
    [[nodiscard]] result<bool> sum_next(const step_range& steps, window_kind kind);
    [[nodiscard]] bool has_sums(const step_range& steps) const { return steps_.has_sums(steps); }

    /// The event that was counted with this id, where a message stored just after the last counted
    /// one would be its duplicate.
    [[nodiscard]] result<std::optional<first_use>> find_use(const std::string& event_id);

    /// What became of an event with an id, at a line of a counted message with this timestamp.
    [[nodiscard]] result<event_fate> fate_of(const std::string& event_id, std::uint64_t sequence, std::size_t line,
                                             std::chrono::nanoseconds timestamp);

    /// All that a rebuild must reproduce, as text in one canonical order. Commits.
    [[nodiscard]] result<void> dump(std::ostream& out);

    [[nodiscard]] const projection_progress& progress() const noexcept { return counted_.progress; }
    [[nodiscard]] file_condition condition() const noexcept;

private:
    /// All that a transaction writes beside counts and ids.
    struct moment
    {
        projection_progress progress;
        id_memory ids;
    };

    projection(projection_settings settings, std::unique_ptr<projection_file> file);

    [[nodiscard]] bool is_taken_back(const std::string& event_id, std::uint64_t sequence);
    result<void> load();
    result<void> save(moment next, const stream_judgement* judged);
    void accept(const stream_judgement& judged, const stream_state& stream, projection_progress& next) const;

    [[nodiscard]] result<void> stage_all(std::span<const stored_message> messages, counts_sink* counts);
    void advance_to(const stored_message& m);
    void count(const stored_message& m, counts_sink* counts);
    void count_event(const stored_message& m, const event_reader& at, std::string* counts);
    void repeat_event(const first_use& earlier, std::string* counts);
    void reject(const stored_message& m, const error& why, std::optional<std::size_t> line);
    [[nodiscard]] result<void> correct(const stored_message& m);
    [[nodiscard]] std::string retract(const std::string& id, std::int64_t time);
    void erase(const std::string& user);
    bool write_rows(std::size_t rows);
    void begin_writing();
    void prune(std::size_t limit);
    void finish_writing();
    void rollback();

    projection_settings settings_;
    std::unique_ptr<projection_file> file_; ///< its tables are used by the members of uncommitted counts
    counting_rule rule_;
    moment counted_;   ///< in memory
    moment frozen_;    ///< what the open transaction will have written
    moment committed_; ///< in the file
    staged_rows<asset_row> assets_;
    staged_rows<user_row> users_;
    staged_steps steps_;
    taken_ids ids_;
    views_sink* follower_ = nullptr;
    std::string asset_; ///< of the event that is counted
    std::string user_;
    std::string offered_id_;    ///< of the attached stream; the projection's own once a message of it is counted
    bool attached_ = false;     ///< at least once
    bool id_loss_told_ = false; ///< that the stream no longer has its id is in the log
};

} // namespace marquee
