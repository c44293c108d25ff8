// Metrics that are numbers of JSON objects. Used by the page of the fleet only.
#pragma once

#include "edge/metrics/exposition.hpp"
#include "edge/metrics/fleet_documents.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>

namespace marquee
{

/// A metric that is one number of a JSON object.
struct number_row
{
    std::string_view member;
    metric_family family;
    double unit = 1; ///< of the number; 1: it is a whole number
    bool zero_is_none = false;
};

/// Adds the number, where it is one that is not negative.
inline void add_number(exposition& page, const number_row& row, const boost::json::object& from,
                       std::string_view labels)
{
    if (const auto count = row.unit == 1 ? reported_whole(from, row.member) : std::nullopt)
    {
        if (*count > 0 || !row.zero_is_none)
            page.add(row.family, labels, *count);
    }
    else if (const auto number = reported_number(from, row.member))
        page.add(row.family, labels, as_sample(*number * row.unit));
}

template <class Rows>
void add_numbers(exposition& page, const Rows& rows, const boost::json::object& from, std::string_view labels)
{
    for (const auto& row : rows)
        add_number(page, row, from, labels);
}

} // namespace marquee
