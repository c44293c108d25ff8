// The metrics of the fleet: of the services, of the stream of views, and of the account.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

/// What was told within the time of one scrape. None of it is trusted.
struct fleet_replies
{
    /// Replies to `$SRV.STATS.NAME`, by the name of one of Marquee's services.
    std::vector<std::pair<std::string_view, std::vector<std::string>>> stats;
    std::vector<std::string> foreign;   ///< replies to `$SRV.STATS`; what ours say there is left out
    std::optional<std::string> stream;  ///< reply to `$JS.API.STREAM.INFO.EVENTS`
    std::optional<std::string> account; ///< reply to `$JS.API.INFO`
};

inline constexpr std::size_t max_fleet_instances = 64;   ///< of metadata, of cdnurl, of reporting
inline constexpr std::size_t max_foreign_instances = 16; ///< of other services

/// The page in Prometheus' text format 0.0.4. Has the instances that replied and nothing of those
/// that did before; instances and endpoints beyond the limits are counted as left out. The first
/// reply of an instance counts. Thread-safe.
[[nodiscard]] std::string fleet_page(const fleet_replies& told);

} // namespace marquee
