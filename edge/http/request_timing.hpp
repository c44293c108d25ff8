// Where the time of a request went, and the trace that it belongs to.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace marquee
{

/// What a play or a view waits for, in this order.
enum class request_part : std::uint8_t
{
    lookups, ///< checks, and both records of the asset
    store,   ///< until the view is in the stream; in a batch its counts come with that
    count    ///< asking reporting for the counts; not where they came with `store`
};

inline constexpr std::array<std::string_view, 3> request_part_names{"lookups", "store", "count"};

/// The facts of one request that its log line, its metrics and its trace share. Made by the gateway
/// when the request is whole, filled by the handler, read by the gateway when it is answered. On
/// the io thread of the request.
class request_timing
{
public:
    using clock = std::chrono::steady_clock;

    explicit request_timing(clock::time_point begin) noexcept : begin_(begin) {}

    /// The part before ends at `now`, whatever came of it, and `part` begins. Takes a time that was
    /// read for something else where there is one.
    void start(request_part part, clock::time_point now) noexcept
    {
        finish(now);
        current_ = part;
        since_ = now;
    }

    /// Ends the part under way, if any. The gateway calls it with the end of the request.
    void finish(clock::time_point now) noexcept
    {
        if (current_)
            parts_[static_cast<std::size_t>(*current_)] =
                std::chrono::duration_cast<std::chrono::microseconds>(now - since_);
        current_.reset();
    }

    /// How long a part took; nothing where it did not take place.
    [[nodiscard]] std::optional<std::chrono::microseconds> took(request_part part) const noexcept
    {
        return parts_[static_cast<std::size_t>(part)];
    }

    [[nodiscard]] clock::time_point begin() const noexcept { return begin_; }

    /// 32 lower-case hexadecimal digits; empty: the request belongs to no trace.
    [[nodiscard]] std::string_view trace_id() const noexcept
    {
        return {trace_id_.data(), trace_id_[0] == '\0' ? 0 : trace_id_.size()};
    }

    /// `id`: 32 lower-case hexadecimal digits; another is ignored.
    void set_trace_id(std::string_view id) noexcept
    {
        if (id.size() == trace_id_.size())
            id.copy(trace_id_.data(), id.size());
    }

private:
    clock::time_point begin_;
    clock::time_point since_; ///< when the part under way began
    std::optional<request_part> current_;
    std::array<std::optional<std::chrono::microseconds>, request_part_names.size()> parts_;
    std::array<char, 32> trace_id_{};
};

} // namespace marquee
