#include "broker/base/log.hpp"

#include "broker/base/log_line.hpp"
#include "broker/base/log_repeats.hpp"

#include <array>
#include <atomic>
#include <cstdlib>

namespace marquee
{

namespace
{

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};

log_level level_of_environment() noexcept
{
    const char* wanted = std::getenv("MARQUEE_LOG"); // NOLINT(concurrency-mt-unsafe): nobody sets the environment
    return parse_log_level(wanted != nullptr ? wanted : "").value_or(log_level::info);
}

std::atomic<log_level>& lowest_level() noexcept
{
    static std::atomic<log_level> lowest = level_of_environment();
    return lowest;
}

} // namespace

std::string_view name_of(log_level level) noexcept { return level_names[static_cast<std::size_t>(level)]; }

std::optional<log_level> parse_log_level(std::string_view text) noexcept
{
    for (std::size_t i = 0; i < level_names.size(); ++i)
        if (level_names[i] == text)
            return static_cast<log_level>(i);
    return std::nullopt;
}

void set_log_level(std::optional<log_level> lowest) noexcept
{
    lowest_level().store(lowest.value_or(level_of_environment()), std::memory_order_relaxed);
}

bool is_logged(log_level level) noexcept { return level >= lowest_level().load(std::memory_order_relaxed); }

void log(log_level level, std::string_view text, std::initializer_list<log_field> fields)
{
    if (!is_logged(level) || is_repeated(level, text, fields))
        return;
    log_line line(level, text);
    for (const auto& each : fields)
        line.add(each);
    line.write();
}

} // namespace marquee
