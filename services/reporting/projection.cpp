#include "services/reporting/projection.hpp"

#include "broker/log_quota.hpp"
#include "broker/planted_fault.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/database.hpp"
#include "services/reporting/paired_log.hpp"
#include "services/reporting/projection_tables.hpp"
#include "services/reporting/uncommitted.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <ostream>

#include <unistd.h>

namespace marquee
{
namespace
{

constexpr const char* cure = " (--rebuild is the cure)";

const std::string corrections = subjects::events_admin().str(); // NOLINT(cert-err58-cpp): a constant

result<play_event> no_corrections() { return fail(errc::bad_request, "corrections are not known to this version"); }

} // namespace

class projection::state
{
public:
    state(projection_settings settings, std::shared_ptr<file_lock> lock)
        : settings_(std::move(settings)), lock_(std::move(lock)), db_(open_database(settings_.path)), log_(db_), tables_(db_),
          assets_(tables_, &projection_tables::asset_views, &projection_tables::set_asset_views, &projection_tables::top),
          users_(tables_, &projection_tables::user_views, &projection_tables::set_user_views), ids_(tables_)
    {
    }
    ~state()
    {
        transaction_.reset();
        (void)log_.empty();
    }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    result<void> load();
    result<void> take_over(const counting_rule& rule, std::uint64_t since);
    result<void> mark_rebuilt(bool rebuilt);
    result<bool> empty_log();
    result<void> attach(const stream_state& stream, last_counted last);
    result<void> stage(std::span<const stored_message> messages);
    result<void> commit();
    result<bool> write_some(std::size_t rows);

    [[nodiscard]] std::uint64_t uncommitted() const noexcept { return progress_.last_sequence - committed_.last_sequence; }
    [[nodiscard]] const view_counters& assets() const noexcept { return assets_; }
    [[nodiscard]] const view_counters& users() const noexcept { return users_; }
    [[nodiscard]] std::optional<first_use> find_use(const std::string& id) const
    {
        return ids_.find(id, progress_.last_timestamp.count(), memory_, rule_.dedupe_window.count());
    }
    [[nodiscard]] const counting_rule& rule() const noexcept { return rule_; }
    [[nodiscard]] const id_memory& memory() const noexcept { return memory_; }

    /// Runs `work` on the tables; what SQLite throws ends the projection.
    template <class Work>
    auto guarded(Work work) -> result<decltype(work(std::declval<projection_tables&>()))>
    {
        if (condition_ == file_condition::broken)
            return fail(errc::unavailable, failure_);
        condition_ = file_condition::sound;
        try
        {
            if constexpr (std::is_void_v<decltype(work(tables_))>)
            {
                work(tables_);
                return {};
            }
            else
                return work(tables_);
        }
        catch (const SQLite::Exception& e)
        {
            if (!is_disk_full(e))
                return broken(database_error(settings_.path, e));
            condition_ = file_condition::full;
            return database_error(settings_.path, e);
        }
    }

    [[nodiscard]] const projection_progress& progress() const noexcept { return progress_; }
    [[nodiscard]] file_condition condition() const noexcept { return condition_; }

private:
    error broken(error why)
    {
        condition_ = file_condition::broken;
        failure_ = why.detail;
        return why;
    }
    void count(const stored_message& m);
    void reject(const stored_message& m, const error& why);
    template <class Work>
    void commit_a_part(Work work);
    template <class Work>
    result<void> write_at_once(Work work);
    void begin_writing();
    void prune(std::size_t limit);
    void finish_writing();
    void take_back();

    projection_settings settings_;
    std::shared_ptr<file_lock> lock_;
    SQLite::Database db_;
    paired_log log_;
    projection_tables tables_;
    counting_rule rule_;
    projection_progress progress_;  ///< counted
    projection_progress frozen_;    ///< what the transaction under way will have written
    projection_progress committed_; ///< and written
    id_memory memory_;              ///< the same three of what decides on ids
    id_memory frozen_memory_;
    id_memory committed_memory_;
    view_counters assets_;
    view_counters users_;
    taken_ids ids_;
    std::string offered_id_;                         ///< of the stream that is read; its own once a message is counted of it
    bool attached_ = false;                          ///< once, at least
    bool told_of_id_ = false;                        ///< that the stream has lost it
    std::optional<SQLite::Transaction> transaction_; ///< under way
    file_condition condition_ = file_condition::sound;
    std::string failure_; ///< why it is broken
};

result<void> projection::state::load()
{
    auto loaded = guarded(
        [&](projection_tables& tables)
        {
            SQLite::Transaction transaction(db_);
            log_.writing();
            rule_ = tables.load(progress_, memory_, {counting_version, settings_.dedupe_window});
            transaction.commit();
            log_.written();
            return tables.sums_match(progress_.applied);
        });
    if (loaded.has_error())
        return loaded.error();
    committed_ = progress_;
    committed_memory_ = memory_;
    if (!*loaded)
        return fail(errc::unavailable, "database " + settings_.path + ": the counts do not add up" + cure);
    return {};
}

/// In a transaction of its own, after what was staged.
template <class Work>
result<void> projection::state::write_at_once(Work work)
{
    if (auto written = commit(); written.has_error())
        return written;
    return guarded(
        [&](projection_tables& tables)
        {
            SQLite::Transaction transaction(db_);
            log_.writing();
            work(tables);
            transaction.commit();
            log_.written();
        });
}

result<void> projection::state::take_over(const counting_rule& rule, std::uint64_t since)
{
    auto done = write_at_once([&](projection_tables& tables) { tables.set_rule(rule, since); });
    if (done.has_error())
        return done;
    rule_ = rule;
    progress_.rule_since = committed_.rule_since = since;
    memory_.set_window(rule.dedupe_window);
    committed_memory_.set_window(rule.dedupe_window);
    return {};
}

result<void> projection::state::mark_rebuilt(bool rebuilt)
{
    if (progress_.rebuilt == rebuilt)
        return commit();
    auto next = progress_;
    next.rebuilt = rebuilt;
    auto done = write_at_once([&](projection_tables& tables) { tables.save(next, memory_, memory_.messages()); });
    if (done.has_value())
        committed_ = progress_ = std::move(next);
    return done;
}

result<bool> projection::state::empty_log()
{
    if (auto written = commit(); written.has_error())
        return written.error();
    db_.setBusyTimeout(0); // a backup reads on: the caller asks again later
    return log_.empty();
}

result<void> projection::state::attach(const stream_state& stream, last_counted last)
{
    if (auto written = commit(); written.has_error())
        return written;
    const auto judged = judge_stream({progress_.stream_id, progress_.last_sequence}, stream, last);
    const bool at_start = !std::exchange(attached_, true);
    auto next = progress_;
    if (judged.finding != stream_finding::same)
    {
        const bool accepted = settings_.accept_loss && (at_start || judged.finding == stream_finding::loss);
        if (!accepted)
            return fail(errc::unavailable, judged.why);
        log(log_level::warning, "a loss is accepted",
            {{"what", judged.why}, {"goes_on_after", std::to_string(judged.continue_after)}});
        if (judged.finding == stream_finding::loss)
            next.skipped +=
                judged.continue_after - std::max(next.last_sequence, std::max<std::uint64_t>(stream.declared_first, 1) - 1);
        next.last_sequence = judged.continue_after;
        next.last_timestamp = {};
    }
    if (judged.id_was_removed && !std::exchange(told_of_id_, true))
        log(log_level::warning, "the stream has lost its id", {{"id", judged.id}, {"metadata", std::string(stream_id_key)}});
    offered_id_ = judged.id;
    if (judged.id_is_settled)
        next.stream_id = judged.id;
    if (next.stream_id == progress_.stream_id && next.last_sequence == progress_.last_sequence &&
        next.last_timestamp == progress_.last_timestamp) // another stream may end at the same sequence
        return {};
    auto memory = memory_;
    auto saved = write_at_once(
        [&](projection_tables& tables)
        {
            if (judged.finding == stream_finding::another) // whose sequences come again
                memory.lower_sequences(tables.lower_uses(next.last_sequence));
            tables.save(next, memory, memory.messages());
        });
    if (saved.has_value())
    {
        committed_ = progress_ = std::move(next);
        committed_memory_ = memory_ = std::move(memory);
    }
    return saved;
}

result<void> projection::state::stage(std::span<const stored_message> messages)
{
    for (const auto& m : messages)
        if (m.sequence == progress_.last_sequence && progress_.last_timestamp.count() != 0 &&
            m.timestamp != progress_.last_timestamp)
            return broken(fail(errc::unavailable, "event " + std::to_string(m.sequence) +
                                                      " is not the one that was counted: the stream lost its end and grew anew" +
                                                      cure));
    auto counted = guarded(
        [&](projection_tables&)
        {
            std::optional<SQLite::Transaction> reading; // one for all the questions, where none is under way
            if (!transaction_)
                reading.emplace(db_);
            for (const auto& m : messages)
                if (m.sequence > progress_.last_sequence)
                    count(m);
            if (reading)
                reading->commit();
        });
    if (counted.has_error())
        take_back();
    return counted;
}

result<void> projection::state::commit()
{
    while (uncommitted() > 0)
        if (auto written = write_some(std::numeric_limits<std::size_t>::max()); written.has_error())
            return written.error();
    return {};
}

result<bool> projection::state::write_some(std::size_t rows)
{
    if (uncommitted() == 0)
        return true;
    auto done = guarded(
        [&](projection_tables&)
        {
            if (!transaction_)
                begin_writing();
            auto left = rows - assets_.write(rows);
            left -= users_.write(left);
            if (left == 0)
                return false;
            if (planted("counts_before_sequence"))
                commit_a_part([] {});
            const auto ids = ids_.write(left);
            prune(2 * ids + 100);
            if (ids == left)
                return false;
            finish_writing();
            return true;
        });
    if (done.has_error())
        take_back();
    // Twice what may have come since the last call: a commit at once writes all of it.
    const auto looks = std::min<std::size_t>(2 * rows, 2 * assets_.known()) + 256;
    assets_.evict(looks);
    users_.evict(looks);
    return done;
}

void projection::state::begin_writing()
{
    transaction_.emplace(db_);
    frozen_ = progress_;
    frozen_memory_ = memory_;
    assets_.freeze();
    users_.freeze();
    ids_.freeze();
    if (planted("sequence_before_counts"))
        commit_a_part([&] { tables_.save(frozen_, frozen_memory_, committed_memory_.messages()); });
}

/// Housekeeping: nothing is decided by whether a row that is forgotten is still there.
void projection::state::prune(std::size_t limit)
{
    if (frozen_memory_.forgotten().empty())
        return;
    const auto first = frozen_memory_.forgotten().front();
    if (tables_.prune(first, limit) > 0 || frozen_memory_.forgotten().size() == 1)
        return;
    frozen_memory_.drop(first);
    memory_.drop(first);
}

void projection::state::finish_writing()
{
    log_.writing();
    tables_.save(frozen_, frozen_memory_, committed_memory_.messages());
    transaction_->commit();
    transaction_.reset();
    log_.written();
    committed_ = frozen_;
    committed_memory_ = frozen_memory_;
    assets_.written();
    users_.written();
    ids_.written();
}

/// What was not written is as if it had never been read.
void projection::state::take_back()
{
    transaction_.reset();
    progress_ = committed_;
    memory_ = committed_memory_;
    assets_.clear();
    users_.clear();
    ids_.clear();
}

void projection::state::count(const stored_message& m)
{
    progress_.last_sequence = m.sequence;
    progress_.last_timestamp = m.timestamp;
    if (progress_.stream_id != offered_id_ && attached_)
        progress_.stream_id = offered_id_;
    memory_.add(m.sequence, m.timestamp);
    const auto event = m.subject == corrections ? no_corrections() : parse_event(m.data);
    if (event.has_error())
    {
        reject(m, event.error());
        return;
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto time = planted("clock_decides") ? std::chrono::nanoseconds(now) : m.timestamp;
    const id_use use{m.sequence, time.count(), event->asset.text(), event->user.text()};
    if (event->id && !ids_.take(*event->id, use, memory_, rule_.dedupe_window.count()) && !planted("id_check_off"))
    {
        ++progress_.duplicates;
        return;
    }
    ++progress_.applied;
    assets_.add_one(use.asset);
    users_.add_one(use.user);
}

void projection::state::reject(const stored_message& m, const error& why)
{
    ++progress_.rejected;
    progress_.last_reject_sequence = m.sequence;
    progress_.last_reject_reason = why.field.empty() ? why.detail : why.field + ": " + why.detail;
    static limited_log rejects(log_level::warning, "event rejected");
    rejects.write({{"sequence", std::to_string(m.sequence)}, {"reason", progress_.last_reject_reason}});
}

/// Only for planted faults: what a transaction must not do, with time for a crash behind it (and longer than plays wait for their counts, so that they go on).
template <class Work>
void projection::state::commit_a_part(Work work)
{
    work();
    db_.exec("COMMIT");
    ::usleep(700'000);
    db_.exec("BEGIN");
}

projection::projection(std::unique_ptr<state> s) : state_(std::move(s)) {}
projection::projection(projection&&) noexcept = default;
projection::~projection() = default;

projection& projection::operator=(projection&&) noexcept = default;

result<projection> projection::open(projection_settings settings, std::shared_ptr<file_lock> lock)
{
    if (!lock)
    {
        auto own = file_lock::take(settings.path + ".lock");
        if (own.has_error())
            return own.error();
        lock = std::make_shared<file_lock>(std::move(*own));
    }
    try
    {
        auto opened = std::make_unique<state>(settings, std::move(lock));
        if (auto loaded = opened->load(); loaded.has_error())
            return loaded.error();
        return projection(std::move(opened));
    }
    catch (const SQLite::Exception& e)
    {
        return database_error(settings.path, e);
    }
}

projection projection::none()
{
    projection_settings nowhere;
    nowhere.path = ":memory:";
    auto opened = std::make_unique<state>(std::move(nowhere), nullptr);
    (void)opened->load();
    return projection(std::move(opened));
}

const counting_rule& projection::rule() const noexcept { return state_->rule(); }

result<void> projection::take_over(const counting_rule& rule, std::uint64_t since) { return state_->take_over(rule, since); }

result<void> projection::mark_rebuilt(bool rebuilt) { return state_->mark_rebuilt(rebuilt); }

result<bool> projection::empty_log() { return state_->empty_log(); }

result<void> projection::attach(const stream_state& stream, last_counted last) { return state_->attach(stream, last); }

result<void> projection::stage(std::span<const stored_message> messages) { return state_->stage(messages); }

result<void> projection::commit() { return state_->commit(); }

result<bool> projection::write_some(std::size_t rows) { return state_->write_some(rows); }

result<void> projection::apply(std::span<const stored_message> messages)
{
    auto counted = stage(messages);
    return counted.has_error() ? counted : commit();
}

std::uint64_t projection::uncommitted() const noexcept { return state_->uncommitted(); }

result<std::uint64_t> projection::asset_views(const asset_id& id)
{
    return state_->guarded([&](projection_tables&) { return state_->assets().views(id.text()); });
}

result<std::uint64_t> projection::user_views(const user_id& id)
{
    return state_->guarded([&](projection_tables&) { return state_->users().views(id.text()); });
}

result<std::vector<views_reply>> projection::top(std::size_t limit)
{
    return state_->guarded([&](projection_tables&) { return state_->assets().top(limit); });
}

result<std::optional<first_use>> projection::find_use(const std::string& event_id)
{
    return state_->guarded([&](projection_tables&) { return state_->find_use(event_id); });
}

const projection_progress& projection::progress() const noexcept { return state_->progress(); }

file_condition projection::condition() const noexcept { return state_->condition(); }

result<void> projection::dump(std::ostream& out)
{
    if (auto written = commit(); written.has_error())
        return written;
    const auto& p = progress();
    out << "sequence " << p.last_sequence << ' ' << p.last_timestamp.count() << '\n'
        << "applied " << p.applied << " duplicates " << p.duplicates << " rejected " << p.rejected << '\n'
        << "last reject " << p.last_reject_sequence << ' ' << p.last_reject_reason << '\n';
    return state_->guarded([&](projection_tables& tables) { tables.dump(out, state_->memory()); });
}

} // namespace marquee
