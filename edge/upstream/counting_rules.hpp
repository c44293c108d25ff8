// Whether the instances of reporting count by one rule.
#pragma once

#include <boost/json/array.hpp>

namespace marquee
{

/// The rules of counting of the instances of reporting among `services`, the list of
/// services_reply: a version, a dedupe window, and the ids of the instances that count by it, in
/// the order of their first instances. Empty where all that tell their rule have the same one: then
/// their counts agree. Thread-safe.
[[nodiscard]] boost::json::array differing_rules(const boost::json::array& services);

} // namespace marquee
