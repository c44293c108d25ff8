// Counting messages in memory, and writing the counts.
#include "services/reporting/projection/projection.hpp"

#include "broker/base/fault_injection.hpp"
#include "broker/base/log_quota.hpp"
#include "schemas/event_lines.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/projection/projection_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

namespace marquee
{
namespace
{

const std::string corrections = subjects::events_admin().str(); // NOLINT(cert-err58-cpp): a constant

void append_counts(std::string& to, std::uint64_t asset_views, std::uint64_t user_views)
{
    std::array<char, 44> text{}; // two numbers of 20 digits
    auto* at = std::to_chars(text.data(), text.data() + 20, asset_views).ptr;
    *at++ = ' ';
    at = std::to_chars(at, at + 20, user_views).ptr;
    *at++ = '\n';
    to.append(text.data(), at);
}

} // namespace

std::size_t most_events_in(const stored_message& m)
{
    return 1 + static_cast<std::size_t>(std::count(m.data.begin(), m.data.end(), '\n'));
}

std::size_t most_events_in(std::span<const stored_message> messages)
{
    std::size_t sum = 0;
    for (const auto& each : messages)
        sum += most_events_in(each);
    return sum;
}

result<void> projection::stage(std::span<const stored_message> messages, counts_sink* counts)
{
    const auto& now = counted_.progress;
    for (const auto& m : messages)
        if (m.sequence == now.last_sequence && now.last_timestamp.count() != 0 && m.timestamp != now.last_timestamp)
            return file_->condemn(fail(errc::unavailable, "event " + std::to_string(m.sequence) +
                                                              " is not the one that was counted: the stream lost its "
                                                              "end and grew anew (--rebuild is the cure)"));
    auto counted = stage_all(messages, counts);
    if (counted.has_error())
        rollback();
    return counted;
}

result<void> projection::stage_all(std::span<const stored_message> messages, counts_sink* counts)
{
    for (std::size_t next = 0; next < messages.size(); ++next)
    {
        auto counted = file_->read(
            [&](projection_tables&)
            {
                for (; next < messages.size() && messages[next].subject != corrections; ++next)
                    if (messages[next].sequence > counted_.progress.last_sequence)
                        count(messages[next], counts);
            });
        if (counted.has_error())
            return counted;
        if (next < messages.size() && messages[next].sequence > counted_.progress.last_sequence)
            if (auto corrected = correct(messages[next]); corrected.has_error())
                return corrected;
    }
    return {};
}

void projection::advance_to(const stored_message& m)
{
    auto& progress = counted_.progress;
    progress.last_sequence = m.sequence;
    progress.last_timestamp = m.timestamp;
    if (progress.stream_id != offered_id_ && attached_)
        progress.stream_id = offered_id_;
    counted_.ids.add(m.sequence, m.timestamp);
}

void projection::count(const stored_message& m, counts_sink* counts)
{
    advance_to(m);
    const bool wanted = counts != nullptr && counts->wants(m);
    std::string lines;
    event_reader events(m.data);
    ids_.begin_message(events.has_lines());
    while (events.next())
    {
        count_event(m, events, wanted ? &lines : nullptr);
        if (events.line() > 0)
            end_if_injected("ends_between_lines");
    }
    if (wanted)
        counts->counted(m, std::move(lines));
}

/// `counts`: where to add the event's line; null: not wanted.
void projection::count_event(const stored_message& m, const event_reader& at, std::string* counts)
{
    auto& progress = counted_.progress;
    const auto& event = at.event();
    if (event.has_error())
    {
        reject(m, event.error(), at.has_lines() ? std::optional(at.line()) : std::nullopt);
        if (counts != nullptr)
            (*counts += name_of(event.error().code)) += '\n';
        return;
    }
    asset_ = event->asset;
    user_ = event->user;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto time = fault_injected("clock_decides") ? std::chrono::nanoseconds(now) : m.timestamp;
    const auto viewed = view_time(event->time, time);
    if (!event->id.empty())
    {
        const id_use use{m.sequence, at.line(), time.count(), viewed, asset_, user_};
        const auto earlier = ids_.take(event->id, use, counted_.ids, rule_.dedupe_window.count());
        if (earlier && !fault_injected("id_check_off"))
            return repeat_event(*earlier, counts);
    }
    ++progress.applied;
    auto& asset = assets_.change(asset_, progress.next_asset);
    auto& user = users_.change(user_, progress.next_user);
    ++asset.views;
    asset.last = std::max(asset.last, viewed);
    if (user.see(asset.number, viewed))
        ++asset.viewers;
    steps_.add(viewed, asset.number);
    if (!event->id.empty())
        ids_.counted(user.number, asset.number);
    if (follower_ != nullptr)
        follower_->counted(
            {m.sequence, at.line(), asset_, user_, std::chrono::milliseconds(viewed), asset.views, user.views});
    if (counts != nullptr)
        append_counts(*counts, asset.views, user.views);
}

/// A batch's own ids cannot be used for two views by its edge: where only the stream has the view
/// of an earlier use, it is taken for the same.
void projection::repeat_event(const first_use& earlier, std::string* counts)
{
    ++counted_.progress.duplicates;
    if (counts == nullptr)
        return;
    if (!earlier.asset.empty() && (earlier.asset != asset_ || earlier.user != user_))
        (*counts += name_of(errc::key_reused)) += '\n';
    else
        append_counts(*counts, assets_.views(asset_), users_.views(user_));
}

/// `line`: of a message that is read line by line, from 0.
void projection::reject(const stored_message& m, const error& why, std::optional<std::size_t> line)
{
    auto& progress = counted_.progress;
    ++progress.rejected;
    progress.last_reject_sequence = m.sequence;
    progress.last_reject_reason = (line ? "line " + std::to_string(*line + 1) + ": " : "") +
                                  (why.field.empty() ? why.detail : why.field + ": " + why.detail);
    static limited_log rejects(log_level::warning, "event rejected");
    rejects.write({{"sequence", std::to_string(m.sequence)}, {"reason", progress.last_reject_reason}});
}

std::uint64_t projection::uncommitted() const noexcept
{
    const auto events = [](const projection_progress& p) { return p.applied + p.duplicates + p.rejected; };
    return events(counted_.progress) - events(committed_.progress);
}

result<void> projection::apply(std::span<const stored_message> messages)
{
    auto counted = stage(messages);
    return counted.has_error() ? counted : commit();
}

result<void> projection::commit()
{
    while (uncommitted() > 0)
        if (auto written = write_some(std::numeric_limits<std::size_t>::max()); written.has_error())
            return written.error();
    return {};
}

result<bool> projection::write_some(std::size_t rows)
{
    if (uncommitted() == 0)
        return true;
    auto done = file_->run([&](projection_tables&) { return write_rows(rows); });
    if (done.has_error())
        rollback();
    // Twice what may have been added since the last call; a commit() writes all of it.
    const auto looks = std::min<std::size_t>(2 * rows, 2 * assets_.known()) + 256;
    assets_.evict(looks);
    users_.evict(looks);
    return done;
}

/// True where the transaction is committed.
bool projection::write_rows(std::size_t rows)
{
    if (!file_->in_transaction())
        begin_writing();
    auto left = rows - assets_.write(rows);
    left -= users_.write(left);
    left -= left > 0 ? steps_.write(left) : 0;
    if (left == 0)
        return false;
    if (fault_injected("counts_before_sequence"))
        file_->split_transaction();
    const auto ids = ids_.write(left);
    prune(2 * ids + 100);
    if (ids == left)
        return false;
    finish_writing();
    return true;
}

void projection::begin_writing()
{
    file_->begin();
    frozen_ = counted_;
    assets_.freeze();
    users_.freeze();
    steps_.freeze();
    ids_.freeze();
    if (fault_injected("sequence_before_counts"))
    {
        file_->tables().save(frozen_.progress, frozen_.ids, committed_.ids.messages());
        file_->split_transaction();
    }
}

/// Deletes rows that are forgotten. Whether they are still there decides nothing.
void projection::prune(std::size_t limit)
{
    if (frozen_.ids.forgotten().empty())
        return;
    const auto first = frozen_.ids.forgotten().front();
    if (file_->tables().prune(first, limit) > 0 || frozen_.ids.forgotten().size() == 1)
        return;
    frozen_.ids.drop(first);
    counted_.ids.drop(first);
}

void projection::finish_writing()
{
    file_->tables().save(frozen_.progress, frozen_.ids, committed_.ids.messages());
    file_->commit();
    committed_ = frozen_;
    assets_.written();
    users_.written();
    steps_.written();
    ids_.written();
}

/// Forgets what is not written, as if it had never been read.
void projection::rollback()
{
    file_->rollback();
    counted_ = committed_;
    assets_.clear();
    users_.clear();
    steps_.clear();
    ids_.clear();
}

} // namespace marquee
