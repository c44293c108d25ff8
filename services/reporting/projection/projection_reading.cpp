// Answers from the counts in memory and in the file.
#include "services/reporting/projection/projection.hpp"

#include "services/reporting/projection/projection_file.hpp"

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

result<std::optional<first_use>> projection::find_use(const std::string& event_id)
{
    return file_->run(
        [&](projection_tables&) {
            return ids_.find(event_id, counted_.progress.last_timestamp.count(), counted_.ids,
                             rule_.dedupe_window.count());
        });
}

file_condition projection::condition() const noexcept { return file_->condition(); }

result<void> projection::dump(std::ostream& out)
{
    if (auto written = commit(); written.has_error())
        return written;
    const auto& p = progress();
    out << "sequence " << p.last_sequence << ' ' << p.last_timestamp.count() << '\n'
        << "applied " << p.applied << " duplicates " << p.duplicates << " rejected " << p.rejected << '\n'
        << "retracted " << p.retracted << " erased " << p.erased << '\n'
        << "last reject " << p.last_reject_sequence << ' ' << p.last_reject_reason << '\n';
    return file_->run([&](projection_tables& tables) { tables.dump(out, counted_.ids); });
}

} // namespace marquee
