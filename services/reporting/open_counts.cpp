#include "services/reporting/open_counts.hpp"

#include "broker/base/log.hpp"
#include "services/reporting/projection/swap.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace marquee
{
namespace
{

bool is_there(const std::string& file)
{
    std::error_code ec;
    return std::filesystem::exists(file, ec);
}

/// Of a missing FILE beside a FILE.new. Where that is a finished rebuild, a crash has cut off its
/// swap; else FILE was deleted during a rebuild.
result<void> complete_swap(const projection_settings& settings, const std::shared_ptr<file_lock>& lock)
{
    auto of_rebuild = settings;
    of_rebuild.path = file_of_rebuild(settings.path);
    {
        const auto rebuilt = projection::open(of_rebuild, lock);
        if (rebuilt.has_error() || !rebuilt->progress().rebuilt)
            return {};
    }
    return swap_databases(settings.path);
}

std::string seconds_of(std::chrono::nanoseconds time) { return std::to_string(time.count() / 1'000'000'000) + " s"; }

/// How many times the size of FILE its successor may need.
constexpr std::uintmax_t growth = 3;

} // namespace

bool has_room_for_rebuild(const std::string& path)
{
    std::error_code nothing;
    const auto size = std::filesystem::file_size(path, nothing);
    std::error_code ec;
    const auto parent = std::filesystem::path(path).parent_path();
    const auto space = std::filesystem::space(parent.empty() ? "." : parent, ec);
    std::uintmax_t begun = 0;
    for (const auto* suffix : {"", "-wal"})
    {
        std::error_code absent;
        const auto bytes = std::filesystem::file_size(file_of_rebuild(path) + suffix, absent);
        begun += absent ? 0 : bytes;
    }
    return nothing || ec || (space.available + begun) / growth >= size;
}

result<found_counts> open_counts(const projection_settings& settings, const std::shared_ptr<file_lock>& lock,
                                 bool rebuild)
{
    const auto file_new = file_of_rebuild(settings.path);
    if (!is_there(settings.path) && is_there(file_new))
        if (auto ended = complete_swap(settings, lock); ended.has_error())
            return ended.error();
    const bool unfinished = is_there(file_new);
    const bool is_new = !is_there(settings.path);
    if (is_new && unfinished)
        return found_counts{projection::none(), "there is no database " + settings.path, true};
    auto counts = projection::open(settings, lock);
    if (counts.has_error())
    {
        if (!rebuild)
            return counts.error();
        return found_counts{projection::none(), counts.error().detail, unfinished};
    }
    if (is_new || !rebuild)
        if (auto marked = counts->mark_rebuilt(rebuild); marked.has_error())
            return marked.error();
    return found_counts{std::move(*counts), "", unfinished};
}

bool start_is_gone(const stream_state& stream) noexcept
{
    return stream.first_sequence > std::max<std::uint64_t>(stream.declared_first, 1);
}

result<std::optional<std::string>> judge_rule(projection& counts, const counting_rule& wanted,
                                              const stream_state& stream)
{
    const auto by = counts.rule();
    std::optional<std::string> why;
    if (by == wanted)
        return why;
    const auto& p = counts.progress();
    const auto what =
        by.version != wanted.version
            ? "by version " + std::to_string(by.version) + " of the rule, not " + std::to_string(wanted.version)
            : "with a --dedupe-window of " + seconds_of(by.dedupe_window) + ", not " + seconds_of(wanted.dedupe_window);
    // Earlier versions rejected messages of several lines, or corrections; version 4 has counts
    // that they did not have.
    const bool rejects_differ = by.version < 4 && wanted.version >= 4 && p.rejected > 0;
    const bool same = p.applied == 0 && p.duplicates == 0 && !rejects_differ;
    if (same || start_is_gone(stream))
    {
        if (auto taken = counts.take_over(wanted, same ? p.rule_since : p.last_sequence); taken.has_error())
            return taken.error();
        if (!same)
            log(log_level::warning,
                "counts by another rule are kept: the stream no longer has its start, so they cannot be counted anew",
                {{"counted", what}, {"up_to", std::to_string(p.last_sequence)}});
        return why;
    }
    why = "the database was counted " + what;
    return why;
}

} // namespace marquee
