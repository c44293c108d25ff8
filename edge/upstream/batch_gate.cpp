#include "edge/upstream/batch_gate.hpp"

#include "broker/base/log.hpp"
#include "schemas/subjects.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace marquee
{

namespace json = boost::json;

namespace
{

const json::string* text_of(const json::object& from, std::string_view member)
{
    const auto* found = from.if_contains(member);
    return found != nullptr ? found->if_string() : nullptr;
}

bool counts_lines(const json::object& info)
{
    const auto* metadata = info.if_contains("metadata");
    const auto* lines = metadata != nullptr && metadata->is_object()
                            ? text_of(metadata->as_object(), names::metadata_event_lines)
                            : nullptr;
    return lines != nullptr && *lines == "yes";
}

std::string name_of_instance(const json::object& info)
{
    constexpr std::size_t most = 64;
    std::string name;
    for (const auto* member : {"id", "version"})
        if (const auto* text = text_of(info, member); text != nullptr)
            name += (name.empty() ? "" : " ") + std::string(std::string_view(*text).substr(0, most));
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return name;
}

} // namespace

void batch_gate::add(const json::object& info, clock::time_point now)
{
    if (counts_lines(info))
        return;
    auto name = name_of_instance(info);
    closed_until_ = now + memory;
    constexpr std::size_t most_named = 64;
    if (found_.size() >= most_named || std::find(found_.begin(), found_.end(), name) != found_.end())
        return;
    if (std::find(old_.begin(), old_.end(), name) == old_.end())
        log(log_level::warning, "an old instance of reporting: views are sent one by one", {{"instance", name}});
    found_.push_back(std::move(name));
}

void batch_gate::looked(bool complete)
{
    looked_ = complete;
    old_ = std::exchange(found_, {});
}

} // namespace marquee
