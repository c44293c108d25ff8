// OTLP/HTTP in JSON: ids in hex, enums as numbers, 64-bit numbers as text.
#pragma once

#include "broker/telemetry/exporter_settings.hpp"
#include "broker/telemetry/span.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace marquee::detail
{

/// An ExportTraceServiceRequest with these spans. Thread-safe.
[[nodiscard]] std::string encode_spans(std::span<const std::unique_ptr<span_record>> spans,
                                       const service_resource& from);

/// `partialSuccess.rejectedSpans` of an ExportTraceServiceResponse; 0 for anything else, and no
/// more than `sent`. Thread-safe.
[[nodiscard]] std::uint64_t rejected_spans(std::string_view answer, std::uint64_t sent);

} // namespace marquee::detail
