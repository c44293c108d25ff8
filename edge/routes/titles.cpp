#include "edge/routes/titles.hpp"

#include "edge/upstream/hedged_request.hpp"
#include "schemas/messages.hpp"
#include "schemas/subjects.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace marquee
{

namespace
{

constexpr std::size_t at_once = 64; ///< requests under way: records of ordinary sizes fit into one bundle's replies

using titles = std::vector<std::optional<asset_title>>;

} // namespace

asio::awaitable<result<titles>> find_titles(edge_context& edge, const routed_call& call,
                                            const std::vector<asset_id>& assets)
{
    titles found;
    found.reserve(assets.size());
    while (found.size() < assets.size())
    {
        const auto first = found.size();
        const auto count = std::min(at_once, assets.size() - first);
        std::deque<hedged_request> lookups; // all are sent before the first is waited for
        for (std::size_t i = 0; i < count; ++i)
            lookups.emplace_back(edge.services, upstream_service::metadata, subjects::metadata_get(assets[first + i]),
                                 call.upstream_call());
        for (std::size_t i = 0; i < count; ++i)
        {
            auto reply = co_await lookups[i].receive();
            if (reply.has_error() && reply.error() != errc::asset_not_found)
                co_return reply.error();
            auto& added = found.emplace_back();
            if (reply.has_error())
                continue;
            auto record = decode_reply_about<asset_metadata_reply>(reply->data, assets[first + i].text());
            if (record.has_error())
                co_return record.error();
            added.emplace();
            added->title = std::move(record->title);
            added->genre = std::move(record->genre);
        }
    }
    co_return found;
}

} // namespace marquee
