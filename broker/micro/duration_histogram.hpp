// How long the requests to an endpoint took.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace marquee::detail
{

/// A histogram with fixed buckets. One comparison and one increment for a request that is answered
/// from memory. Single-threaded.
class duration_histogram
{
public:
    /// Upper bounds, inclusive; a last bucket has what took longer.
    static constexpr std::array<std::chrono::microseconds, 14> bounds{
        {std::chrono::microseconds(25), std::chrono::microseconds(100), std::chrono::microseconds(250),
         std::chrono::milliseconds(1), std::chrono::microseconds(2500), std::chrono::milliseconds(5),
         std::chrono::milliseconds(10), std::chrono::milliseconds(25), std::chrono::milliseconds(50),
         std::chrono::milliseconds(100), std::chrono::milliseconds(250), std::chrono::milliseconds(500),
         std::chrono::seconds(1), std::chrono::milliseconds(2500)}};

    using bucket_counts = std::array<std::uint64_t, bounds.size() + 1>;

    void add(std::chrono::nanoseconds took) noexcept;

    /// By bucket; not cumulative.
    [[nodiscard]] const bucket_counts& counts() const noexcept { return counts_; }

    /// An estimate of the time within which `share` (0 to 1) of the requests were answered, in
    /// seconds: interpolated within its bucket, as Prometheus' histogram_quantile() does. The last
    /// bound where it is in the last bucket; 0 without requests.
    [[nodiscard]] double quantile(double share) const noexcept;

private:
    bucket_counts counts_{};
};

} // namespace marquee::detail
