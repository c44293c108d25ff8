// W3C Trace Context (level 1): which trace a request belongs to. What comes over a wire is data:
// what is malformed is no context, and never an error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The position of a span in a trace. A value. All functions here are thread-safe.
struct trace_context
{
    std::array<std::uint8_t, 16> trace_id{}; ///< all zero: no context
    std::array<std::uint8_t, 8> span_id{};
    bool sampled = false; ///< its spans are recorded
    std::string state;    ///< tracestate: a valid list, or empty

    friend bool operator==(const trace_context&, const trace_context&) = default;
};

/// Bytes of a tracestate that are passed on. A longer one is left out as a whole.
inline constexpr std::size_t max_tracestate_bytes = 512;

/// Bytes of what format_traceparent() gives.
inline constexpr std::size_t traceparent_bytes = 55;

/// Reads a `traceparent`: version 00 exactly; of a later version the first 55 characters, if a `-`
/// or the end follows. Nothing for version ff, an id of zeros, upper-case digits, and everything
/// else. A `state` that is no valid list (parse_tracestate()) is left out.
[[nodiscard]] std::optional<trace_context> parse_traceparent(std::string_view parent, std::string_view state = {});

/// A valid tracestate of at most 512 bytes without empty members and blanks around members; else
/// empty: more than 32 members, the same key twice, characters that keys or values cannot have.
[[nodiscard]] std::string parse_tracestate(std::string_view text);

/// `00-TRACE-SPAN-FLAGS`, with the flag `sampled` alone.
[[nodiscard]] std::string format_traceparent(const trace_context& of);

/// Digits in lower case.
[[nodiscard]] std::string trace_id_text(const trace_context& of);
[[nodiscard]] std::string span_id_text(const trace_context& of);

/// Another span of the same trace, with a random id.
[[nodiscard]] trace_context child_of(const trace_context& parent);

/// The root of a new trace, with random ids; not sampled.
[[nodiscard]] trace_context make_trace();

/// The share of traces that are sampled.
class trace_ratio
{
public:
    /// Samples nothing.
    constexpr trace_ratio() = default;

    /// `share`: 0 to 1.
    explicit trace_ratio(double share) noexcept;

    /// Reads 0 to 1, such as `0.01`; nothing for any other text.
    [[nodiscard]] static std::optional<trace_ratio> parse(std::string_view text) noexcept;

    [[nodiscard]] bool none() const noexcept { return bound_ == 0; }

    /// Decides as OpenTelemetry's TraceIdRatioBased does, by the last 7 bytes of the trace's id:
    /// every program with this ratio decides the same.
    [[nodiscard]] bool samples(const trace_context& of) const noexcept;

    /// Decides by a random number, for a trace whose id somebody else has chosen.
    [[nodiscard]] bool samples_foreign() const;

private:
    std::uint64_t bound_ = 0; ///< of the 2^56 numbers, the first `bound_` are sampled
};

} // namespace marquee
