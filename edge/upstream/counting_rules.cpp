#include "edge/upstream/counting_rules.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace marquee
{

namespace json = boost::json;

namespace
{

using rule = std::pair<std::uint64_t, std::string>; ///< version and dedupe window

/// The rule that an endpoint's `data` tells.
std::optional<rule> rule_of(const json::value& endpoint)
{
    constexpr std::size_t most = 64;
    boost::system::error_code ec;
    const auto* version = endpoint.find_pointer("/data/rule/version", ec);
    const auto* window = endpoint.find_pointer("/data/rule/dedupe_window", ec);
    if (version == nullptr || window == nullptr || !window->is_string() || window->as_string().size() > most)
        return std::nullopt;
    const auto number = version->to_number<std::uint64_t>(ec);
    if (ec)
        return std::nullopt;
    return rule(number, std::string(window->as_string()));
}

} // namespace

json::array differing_rules(const json::array& services)
{
    json::array all;
    std::map<rule, std::size_t> places;
    for (const auto& instance : services)
    {
        if (instance.at("name") != "reporting" || instance.at("endpoints").as_array().empty())
            continue;
        const auto found = rule_of(instance.at("endpoints").as_array().front());
        if (!found)
            continue;
        const auto [place, added] = places.emplace(*found, all.size());
        if (added)
            all.push_back(json::object{
                {"version", found->first}, {"dedupe_window", found->second}, {"instances", json::array()}});
        all[place->second].as_object()["instances"].as_array().push_back(instance.at("id"));
    }
    return all.size() > 1 ? all : json::array();
}

} // namespace marquee
