#include "services/reporting/projection.hpp"

#include "broker/log.hpp"
#include "broker/planted_fault.hpp"
#include "services/reporting/database.hpp"
#include "services/reporting/projection_tables.hpp"

#include <algorithm>
#include <map>
#include <ostream>

#include <unistd.h>

namespace marquee
{
namespace
{

constexpr const char* cure = " (--rebuild is the cure)";
constexpr std::uint64_t logged_rejects = 10; // a batch: garbage must not flood the log

std::string range_text(std::uint64_t first, std::uint64_t last) { return std::to_string(first) + ".." + std::to_string(last); }

/// The counts of a batch, added up before they reach a table. In order: neighbours share pages.
struct batch_counts
{
    std::map<std::string, std::uint64_t> assets;
    std::map<std::string, std::uint64_t> users;
};

} // namespace

class projection::state
{
public:
    state(projection_settings settings, file_lock lock)
        : settings_(std::move(settings)), lock_(std::move(lock)), db_(open_database(settings_.path)), tables_(db_)
    {
    }

    result<void> load();
    result<void> attach(const stream_state& stream);
    result<void> apply(std::span<const stored_message> messages);

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
    [[nodiscard]] std::int64_t forgotten() const { return progress_.stream_time.count() - settings_.dedupe_window.count(); }

private:
    error broken(error why)
    {
        condition_ = file_condition::broken;
        failure_ = why.detail;
        return why;
    }
    void count(const stored_message& m, projection_progress& next, batch_counts& counts, std::uint64_t& logged);
    void reject(const stored_message& m, const error& why, projection_progress& next, std::uint64_t& logged);
    template <class Work>
    void commit_a_part(Work work);
    void commit(const projection_progress& next, const batch_counts& counts, std::size_t messages);

    projection_settings settings_;
    file_lock lock_;
    SQLite::Database db_;
    projection_tables tables_;
    projection_progress progress_;
    file_condition condition_ = file_condition::sound;
    std::string failure_; ///< why it is broken
};

result<void> projection::state::load()
{
    const auto window = settings_.dedupe_window.count();
    auto loaded = guarded(
        [&](projection_tables& tables)
        {
            const auto made_with = tables.load(progress_, window);
            return std::pair(made_with, tables.sums_match(progress_.applied));
        });
    if (loaded.has_error())
        return loaded.error();
    if (loaded->first != window)
        return fail(errc::unavailable, "database " + settings_.path + ": was made with another --dedupe-window, of " +
                                           std::to_string(loaded->first / 1'000'000'000) + " s" + cure);
    if (!loaded->second)
        return fail(errc::unavailable, "database " + settings_.path + ": the counts do not add up" + cure);
    return {};
}

result<void> projection::state::attach(const stream_state& stream)
{
    auto next = progress_;
    if (!next.stream_created.empty() && next.stream_created != stream.created)
        return fail(errc::unavailable, "the stream was created at " + stream.created + "; the database counted one created at " +
                                           next.stream_created + cure);
    if (stream.last_sequence < next.last_sequence)
        return fail(errc::unavailable, "the stream ends at sequence " + std::to_string(stream.last_sequence) +
                                           "; the database has counted up to " + std::to_string(next.last_sequence) + cure);
    if (stream.first_sequence > next.last_sequence + 1)
    {
        const auto lost = "events " + range_text(next.last_sequence + 1, stream.first_sequence - 1) + " are gone from the stream";
        if (!settings_.accept_loss)
            return fail(errc::unavailable, lost + " and were never counted (--accept-loss goes on without them; --rebuild "
                                                  "counts what is left of the stream anew)");
        log(log_level::warning, lost);
        next.last_sequence = stream.first_sequence - 1;
        next.last_timestamp = {};
    }
    else if (!next.stream_created.empty())
        return {};
    next.stream_created = stream.created;
    auto saved = guarded([&](projection_tables& tables) { tables.save(next); });
    if (saved.has_value())
        progress_ = std::move(next);
    return saved;
}

result<void> projection::state::apply(std::span<const stored_message> messages)
{
    const auto known = progress_.last_timestamp;
    for (const auto& m : messages)
        if (m.sequence == progress_.last_sequence && known.count() != 0 && m.timestamp != known)
            return broken(fail(errc::unavailable, "event " + std::to_string(m.sequence) +
                                                      " is not the one that was counted: the stream lost its end and grew anew" +
                                                      cure));
    auto next = progress_;
    batch_counts counts;
    std::uint64_t logged = 0;
    auto applied = guarded(
        [&](projection_tables&)
        {
            SQLite::Transaction transaction(db_);
            for (const auto& m : messages)
                if (m.sequence > next.last_sequence)
                    count(m, next, counts, logged);
            commit(next, counts, messages.size());
            transaction.commit();
        });
    if (applied.has_value())
        progress_ = std::move(next);
    if (logged > logged_rejects)
        log(log_level::warning, "more events rejected", {{"count", std::to_string(logged - logged_rejects)}});
    return applied;
}

void projection::state::count(const stored_message& m, projection_progress& next, batch_counts& counts, std::uint64_t& logged)
{
    next.last_sequence = m.sequence;
    next.last_timestamp = m.timestamp;
    next.stream_time = std::max(next.stream_time, m.timestamp);
    const auto event = parse_event(m.data);
    if (event.has_error())
    {
        reject(m, event.error(), next, logged);
        return;
    }
    if (planted("clock_decides"))
        next.stream_time = std::chrono::system_clock::now().time_since_epoch();
    const id_use use{m.sequence, next.stream_time.count(), event->asset.text(), event->user.text()};
    if (event->id && !tables_.take_id(*event->id, use, settings_.dedupe_window.count()) && !planted("id_check_off"))
    {
        ++next.duplicates;
        return;
    }
    ++next.applied;
    ++counts.assets[event->asset.text()];
    ++counts.users[event->user.text()];
}

void projection::state::reject(const stored_message& m, const error& why, projection_progress& next, std::uint64_t& logged)
{
    ++next.rejected;
    next.last_reject_sequence = m.sequence;
    next.last_reject_reason = why.field.empty() ? why.detail : why.field + ": " + why.detail;
    if (++logged <= logged_rejects)
        log(log_level::warning, "event rejected",
            {{"sequence", std::to_string(m.sequence)}, {"reason", next.last_reject_reason}});
}

/// Only for planted faults: what a transaction must not do, with time for a crash behind it.
template <class Work>
void projection::state::commit_a_part(Work work)
{
    work();
    db_.exec("COMMIT");
    ::usleep(20'000);
    db_.exec("BEGIN");
}

void projection::state::commit(const projection_progress& next, const batch_counts& counts, std::size_t messages)
{
    if (planted("sequence_before_counts"))
        commit_a_part([&] { tables_.save(next); });
    for (const auto& [id, views] : counts.assets)
        tables_.add_asset_views(id, views);
    for (const auto& [id, views] : counts.users)
        tables_.add_user_views(id, views);
    if (planted("counts_before_sequence"))
        commit_a_part([] {});
    tables_.prune(next.stream_time.count() - settings_.dedupe_window.count(), 2 * messages + 100);
    tables_.save(next);
}

projection::projection(std::unique_ptr<state> s) : state_(std::move(s)) {}
projection::projection(projection&&) noexcept = default;
projection::~projection() = default;

result<projection> projection::open(projection_settings settings)
{
    auto lock = file_lock::take(settings.path + ".lock");
    if (lock.has_error())
        return lock.error();
    if (settings.rebuild)
        if (auto deleted = delete_database(settings.path); deleted.has_error())
            return deleted.error();
    try
    {
        auto opened = std::make_unique<state>(settings, std::move(*lock));
        if (auto loaded = opened->load(); loaded.has_error())
            return loaded.error();
        return projection(std::move(opened));
    }
    catch (const SQLite::Exception& e)
    {
        return database_error(settings.path, e);
    }
}

result<void> projection::attach(const stream_state& stream) { return state_->attach(stream); }

result<void> projection::apply(std::span<const stored_message> messages) { return state_->apply(messages); }

result<std::uint64_t> projection::asset_views(const asset_id& id)
{
    return state_->guarded([&](projection_tables& tables) { return tables.asset_views(id.text()); });
}

result<std::uint64_t> projection::user_views(const user_id& id)
{
    return state_->guarded([&](projection_tables& tables) { return tables.user_views(id.text()); });
}

result<std::vector<views_reply>> projection::top(std::size_t limit)
{
    return state_->guarded([&](projection_tables& tables) { return tables.top(limit); });
}

result<std::optional<first_use>> projection::find_use(std::string_view event_id)
{
    return state_->guarded([&](projection_tables& tables)
                           { return tables.find_use(std::string(event_id), state_->forgotten()); });
}

const projection_progress& projection::progress() const noexcept { return state_->progress(); }

file_condition projection::condition() const noexcept { return state_->condition(); }

result<void> projection::dump(std::ostream& out)
{
    const auto& p = progress();
    out << "sequence " << p.last_sequence << ' ' << p.last_timestamp.count() << ' ' << p.stream_time.count() << '\n'
        << "applied " << p.applied << " duplicates " << p.duplicates << " rejected " << p.rejected << '\n'
        << "last reject " << p.last_reject_sequence << ' ' << p.last_reject_reason << '\n';
    return state_->guarded([&](projection_tables& tables) { tables.dump(out, state_->forgotten()); });
}

} // namespace marquee
