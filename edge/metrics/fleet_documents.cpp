#include "edge/metrics/fleet_documents.hpp"

#include "schemas/json.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cmath>

namespace marquee
{

namespace json = boost::json;

namespace
{

constexpr std::size_t max_buckets = 32;
constexpr std::size_t max_name_bytes = 64;
constexpr std::uint64_t max_count = std::uint64_t{1} << 53U; ///< sums of 33 of them do not overflow

std::optional<std::uint64_t> whole(const json::value& from)
{
    if (from.is_uint64())
        return from.as_uint64();
    if (from.is_int64() && from.as_int64() >= 0)
        return static_cast<std::uint64_t>(from.as_int64());
    return std::nullopt;
}

/// A name in the alphabet of ADR-32, or nothing.
std::string name_in(const json::object& of, std::string_view member)
{
    const auto* found = of.if_contains(member);
    if (found == nullptr || !found->is_string() || found->as_string().size() > max_name_bytes)
        return {};
    const auto& name = found->as_string();
    const bool allowed = std::all_of(name.begin(), name.end(),
                                     [](char c) {
                                         return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                                                (c >= 'a' && c <= 'z') || c == '_' || c == '-';
                                     });
    return allowed ? std::string(name) : std::string();
}

const json::array* array_in(const json::object& of, std::string_view member)
{
    const auto* found = of.if_contains(member);
    return found != nullptr && found->is_array() ? &found->as_array() : nullptr;
}

std::optional<reported_histogram> read_durations(const json::object& data)
{
    const auto* told = reported_object(data, "durations");
    const auto* bounds = told != nullptr ? array_in(*told, "bounds") : nullptr;
    const auto* counts = told != nullptr ? array_in(*told, "counts") : nullptr;
    if (bounds == nullptr || counts == nullptr || bounds->size() > max_buckets || counts->size() != bounds->size() + 1)
        return std::nullopt;
    reported_histogram read;
    for (const auto& each : *bounds)
    {
        const double bound = each.is_number() ? each.to_number<double>() : -1;
        if (!std::isfinite(bound) || bound <= (read.bounds.empty() ? 0 : read.bounds.back()))
            return std::nullopt;
        read.bounds.push_back(bound);
    }
    for (const auto& each : *counts)
    {
        const auto count = whole(each);
        if (!count || *count > max_count)
            return std::nullopt;
        read.counts.push_back(*count);
    }
    return read;
}

std::optional<reported_endpoint> read_endpoint(const json::value& from)
{
    reported_endpoint read;
    if (!from.is_object() || (read.name = name_in(from.as_object(), "name")).empty())
        return std::nullopt;
    const auto& given = from.as_object();
    read.requests = reported_whole(given, "num_requests");
    read.errors = reported_whole(given, "num_errors");
    read.processing = reported_whole(given, "processing_time");
    if (const auto* data = reported_object(given, "data"))
        read.data = *data;
    read.durations = read_durations(read.data);
    return read;
}

} // namespace

std::optional<std::uint64_t> reported_whole(const json::object& of, std::string_view member)
{
    const auto* found = of.if_contains(member);
    return found != nullptr ? whole(*found) : std::nullopt;
}

std::optional<double> reported_number(const json::object& of, std::string_view member)
{
    const auto* found = of.if_contains(member);
    if (found == nullptr || !found->is_number())
        return std::nullopt;
    const auto number = found->to_number<double>();
    return std::isfinite(number) && number >= 0 ? std::optional(number) : std::nullopt;
}

const json::object* reported_object(const json::object& of, std::string_view member)
{
    const auto* found = of.if_contains(member);
    return found != nullptr && found->is_object() ? &found->as_object() : nullptr;
}

std::optional<reported_instance> read_stats(std::string_view text)
{
    const auto document = read_object(text);
    const auto* type = document ? document->if_contains("type") : nullptr;
    if (type == nullptr || *type != "io.nats.micro.v1.stats_response")
        return std::nullopt;
    reported_instance read;
    read.service = name_in(*document, "name");
    read.id = name_in(*document, "id");
    if (read.service.empty() || read.id.empty())
        return std::nullopt;
    if (const auto* version = document->if_contains("version"); version != nullptr && version->is_string())
        read.version = std::string(version->as_string());
    const auto* endpoints = array_in(*document, "endpoints");
    if (endpoints == nullptr)
        return read;
    for (const auto& each : *endpoints)
    {
        if (read.endpoints.size() == max_reported_endpoints)
        {
            ++read.endpoints_left_out;
            continue;
        }
        auto one = read_endpoint(each);
        const bool fits = one && std::none_of(read.endpoints.begin(), read.endpoints.end(),
                                              [&](const auto& known) { return known.name == one->name; });
        if (fits)
            read.endpoints.push_back(std::move(*one));
        else
            ++read.endpoints_left_out;
    }
    return read;
}

} // namespace marquee
