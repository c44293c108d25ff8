// Splits bundles into their items, so that checks treat them as single messages.
#pragma once

#include "broker/micro/bundle.hpp"
#include "schemas/subjects.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace marquee::test
{

/// The messages of a wire with each bundle replaced by its items: requests with a reply subject of
/// their own, and on it the reply. Throws std::runtime_error where a bundle cannot be read or has
/// another number of replies.
inline std::vector<message> unbundled(const std::vector<message>& all)
{
    const auto items_of = [](const message& bundle)
    {
        auto items = read_bundle(bundle.data);
        if (items.has_error())
            throw std::runtime_error(bundle.subject + ": " + items.error().detail);
        return std::move(*items);
    };
    std::vector<message> out;
    std::map<std::string, std::size_t> open; // bundles by reply subject, and how many items each has
    for (const auto& msg : all)
    {
        const auto answers = open.find(msg.subject);
        if (msg.subject.ends_with(".many") && !msg.reply.empty())
        {
            auto items = items_of(msg);
            open[msg.reply] = items.size();
            for (std::size_t i = 0; i < items.size(); ++i)
            {
                items[i].reply = msg.reply + '.' + std::to_string(i);
                out.push_back(std::move(items[i]));
            }
        }
        else if (answers != open.end())
        {
            const bool refused = msg.headers.has(names::header_service_error_code) || msg.headers.has("Status");
            auto items = refused ? std::vector<message>(answers->second, msg) : items_of(msg);
            if (items.size() != answers->second)
                throw std::runtime_error("a bundle with another number of replies");
            for (std::size_t i = 0; i < items.size(); ++i)
            {
                items[i].subject = msg.subject + '.' + std::to_string(i);
                out.push_back(std::move(items[i]));
            }
        }
        else
            out.push_back(msg);
    }
    return out;
}

} // namespace marquee::test
