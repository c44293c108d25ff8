// Answers from the counts in memory and in the file.
#include "services/reporting/projection/projection.hpp"

#include "services/reporting/projection/correction_tables.hpp"
#include "services/reporting/projection/projection_file.hpp"

#include <limits>
#include <ostream>

namespace marquee
{

result<std::uint64_t> projection::asset_views(const asset_id& id)
{
    return file_->run([&](projection_tables&) { return assets_.views(id.text()); });
}

result<std::uint64_t> projection::user_views(const user_id& id)
{
    return file_->run([&](projection_tables&) { return users_.views(id.text()); });
}

result<std::uint64_t> projection::erased_at(const user_id& id)
{
    return file_->run([&](projection_tables& tables) { return tables.erased().erased_at(id.text()); });
}

result<std::vector<std::pair<std::string, std::uint64_t>>>
projection::erasures(std::uint64_t after, std::uint64_t through, std::size_t limit)
{
    return file_->run([&](projection_tables& tables) { return tables.erased().between(after, through, limit); });
}

result<std::optional<first_use>> projection::find_use(const std::string& event_id)
{
    return file_->run(
        [&](projection_tables&) {
            return ids_.find(event_id, counted_.progress.last_timestamp.count(), counted_.ids,
                             rule_.dedupe_window.count());
        });
}

result<event_fate> projection::fate_of(const std::string& event_id, std::uint64_t sequence, std::size_t line,
                                       std::chrono::nanoseconds timestamp)
{
    if (rule_.dedupe_window.count() == 0)
        return event_fate::view;
    return file_->run(
        [&](projection_tables&)
        {
            const auto use = ids_.find(event_id, timestamp.count(), counted_.ids, rule_.dedupe_window.count());
            if (!use)
                return event_fate::forgotten;
            if (use->sequence != sequence || use->line != line)
                return event_fate::duplicate;
            return sequence <= committed_.progress.last_sequence && is_taken_back(event_id, sequence)
                       ? event_fate::taken_back
                       : event_fate::view;
        });
}

/// Of a view that is written; corrections are made in the tables alone.
bool projection::is_taken_back(const std::string& event_id, std::uint64_t sequence)
{
    const auto found = file_->corrections().find(event_id, [sequence](std::int64_t of, std::int64_t)
                                                 { return static_cast<std::uint64_t>(of) == sequence; });
    return !found || found->hour < 0 || found->user.empty(); // an erased user's ids are hashes
}

file_condition projection::condition() const noexcept { return file_->condition(); }

result<void> projection::dump(std::ostream& out)
{
    if (auto written = commit(); written.has_error())
        return written;
    while (has_hidings())
        if (auto hidden = hide_some(std::numeric_limits<std::uint32_t>::max()); hidden.has_error())
            return hidden.error();
    const auto& p = progress();
    out << "sequence " << p.last_sequence << ' ' << p.last_timestamp.count() << '\n'
        << "applied " << p.applied << " duplicates " << p.duplicates << " rejected " << p.rejected << '\n'
        << "retracted " << p.retracted << " erased " << p.erased << '\n'
        << "last reject " << p.last_reject_sequence << ' ' << p.last_reject_reason << '\n';
    return file_->run([&](projection_tables& tables) { tables.dump(out, counted_.ids); });
}

} // namespace marquee
