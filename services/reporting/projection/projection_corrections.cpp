// Corrections: views that are taken back, and users who are erased.
#include "services/reporting/projection/projection.hpp"

#include "services/reporting/projection/correction_tables.hpp"
#include "services/reporting/projection/projection_file.hpp"

namespace marquee
{

/// Everything before is written first, and the correction in a transaction of its own: so it is
/// made in the tables alone. Corrections are rare.
result<void> projection::correct(const stored_message& m)
{
    if (auto written = commit(); written.has_error())
        return written;
    advance_to(m);
    const auto wanted = decode<correction>(m.data);
    if (wanted.has_error())
    {
        reject(m, wanted.error(), std::nullopt);
        return {};
    }
    std::string refused;
    auto done = file_->write(
        [&](projection_tables& tables)
        {
            if (wanted->retract)
                refused = retract(*wanted->retract, m.timestamp.count());
            else
                erase(*wanted->erase);
            if (refused.empty())
                tables.save(counted_.progress, counted_.ids, committed_.ids.messages());
        });
    if (done.has_error())
        return done;
    if (refused.empty())
    {
        committed_ = counted_;
        if (wanted->erase)
            file_->tables().erased().begun();
        return {};
    }
    reject(m, fail(errc::bad_request, refused, "retract"), std::nullopt);
    return {};
}

/// Returns why there is no view to be taken back; empty: it is.
std::string projection::retract(const std::string& id, std::int64_t time)
{
    auto& tables = file_->corrections();
    const auto window = rule_.dedupe_window.count();
    const auto found =
        tables.find(id, [&](std::int64_t sequence, std::int64_t taken_at)
                    { return repeats(time, taken_at, window) && !counted_.ids.is_forgotten(sequence, taken_at); });
    if (!found)
        return "no event with this id was counted within the dedupe window";
    if (found->hour < 0 || found->asset.empty())
        return "the view of this event was taken back before, or is not known any more";
    const auto asset = assets_.get(found->asset).number;
    tables.take_back(*found);
    steps_.take_back(found->hour, asset);
    assets_.forget(found->asset);
    users_.forget(found->user);
    if (follower_ != nullptr)
        follower_->retracted(found->sequence, found->line);
    ++counted_.progress.retracted;
    return {};
}

void projection::erase(const std::string& user)
{
    counted_.progress.erased +=
        file_->corrections().erase(user, [this](const std::string& asset) { assets_.forget(asset); });
    auto& erased = file_->tables().erased();
    const auto& now = counted_.progress;
    erased.begin_hiding(user, now.last_sequence);
    erased.note(user, now.last_sequence, now.last_timestamp.count(), rule_.dedupe_window.count());
    users_.forget(user);
    if (follower_ != nullptr)
        follower_->erased(user, counted_.progress.last_sequence);
}

bool projection::has_hidings() const noexcept { return file_->tables().erased().has_hidings(); }

result<bool> projection::hide_some(std::size_t rows)
{
    if (!has_hidings() || file_->in_transaction())
        return false;
    const auto part = file_->run([rows](projection_tables& tables) { return tables.erased().next_part(rows); });
    if (part.has_error())
        return part.error();
    if (!part->uses.empty() || part->ends_pass)
    {
        auto written = file_->write(
            [&](projection_tables& tables)
            {
                tables.hide(*part);
                tables.erased().save_part(*part);
            });
        if (written.has_error())
        {
            rollback();
            return written.error();
        }
    }
    return file_->run(
        [&](projection_tables& tables)
        {
            tables.erased().forget_part(*part);
            return has_hidings();
        });
}

} // namespace marquee
