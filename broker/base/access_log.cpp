#include "broker/base/access_log.hpp"

#include "broker/base/log_quota.hpp"
#include "schemas/parse_number.hpp"

#include <atomic>
#include <charconv>
#include <cstdint>

namespace marquee
{

namespace
{

constexpr std::uint64_t all_requests = 1ULL << 32U;

std::atomic<std::uint64_t> chosen_below = 0;                          // NOLINT: of the process
std::atomic<std::chrono::nanoseconds::rep> slow_from = 1'000'000'000; // NOLINT: of the process

/// FNV-1a, the upper half mixed into the lower: the same in all programs.
std::uint64_t hash_of(std::string_view id) noexcept
{
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : id)
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    hash ^= hash >> 32U;
    return (hash * 0x9E3779B97F4A7C15ULL) >> 32U;
}

constexpr log_quota quota{100, std::chrono::seconds(10)};

limited_log& failures()
{
    static limited_log kind(log_level::warning, "request failed", quota);
    return kind;
}

limited_log& slow_ones()
{
    static limited_log kind(log_level::warning, "slow request", quota);
    return kind;
}

/// A client that knows the share can choose ids that are chosen.
limited_log& chosen_ones()
{
    static limited_log kind(log_level::info, "request", {10'000, std::chrono::seconds(10)});
    return kind;
}

} // namespace

result<double> parse_access_log(std::string_view text)
{
    if (text == "off")
        return 0.0;
    if (text == "on")
        return 1.0;
    double share = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), share, std::chars_format::fixed);
    if (failed != std::errc() || end != text.data() + text.size() || !(share >= 0 && share <= 1))
        return fail(errc::bad_request, "off, on, or a share of the requests from 0 to 1, such as 0.01");
    return share;
}

void set_access_log(const access_log_settings& settings)
{
    chosen_below.store(static_cast<std::uint64_t>(settings.share * static_cast<double>(all_requests)),
                       std::memory_order_relaxed);
    slow_from.store(std::chrono::nanoseconds(settings.slow).count(), std::memory_order_relaxed);
    for (auto* const each : {&failures(), &slow_ones(), &chosen_ones()})
        each->restart();
}

bool logs_requests() noexcept { return chosen_below.load(std::memory_order_relaxed) > 0; }

std::optional<log_line> access_line(bool failed, std::chrono::nanoseconds took, std::string_view request_id)
{
    const auto chosen = chosen_below.load(std::memory_order_relaxed);
    if (failed || took.count() >= slow_from.load(std::memory_order_relaxed))
    {
        auto& kind = failed ? failures() : slow_ones();
        if (!is_logged(log_level::warning) || (chosen < all_requests && !kind.grants()))
            return std::nullopt;
        return log_line(log_level::warning, failed ? "request failed" : "slow request");
    }
    if (chosen == 0 || !is_logged(log_level::info) || hash_of(request_id) >= chosen)
        return std::nullopt;
    if (chosen < all_requests && !chosen_ones().grants())
        return std::nullopt;
    return log_line(log_level::info, "request");
}

} // namespace marquee
