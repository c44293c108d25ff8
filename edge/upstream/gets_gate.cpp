#include "edge/upstream/gets_gate.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace marquee
{

bool gets_gate::add(upstream_service of, const boost::json::object& info)
{
    const auto* endpoints = info.if_contains("endpoints");
    const auto* all = endpoints != nullptr ? endpoints->if_array() : nullptr;
    const auto is_gets = [](const boost::json::value& each)
    {
        const auto* endpoint = each.if_object();
        const auto* name = endpoint != nullptr ? endpoint->if_contains("name") : nullptr;
        return name != nullptr && name->is_string() && name->get_string() == "gets";
    };
    const bool has = all != nullptr && std::any_of(all->begin(), all->end(), is_gets);
    answered_[index_of(of)] = true;
    found_[index_of(of)] |= has;
    return has;
}

void gets_gate::looked(upstream_service of) noexcept
{
    const auto index = index_of(of);
    const bool found = std::exchange(found_[index], false);
    if (std::exchange(answered_[index], false))
        open_[index] = found;
}

} // namespace marquee
