// Titles and genres of several assets, from the catalogue.
#pragma once

#include "edge/routes/context.hpp"

#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// What a list of assets shows of one.
struct asset_title
{
    std::string title;
    std::string genre;
};

/// Looks up assets in metadata, with requests that share messages. Returns an element for each, in
/// order; nothing for an asset that the catalogue does not have. Fails as hedged_request does; with
/// malformed_reply. Runs on the io thread of `edge`; the arguments outlive the call.
[[nodiscard]] asio::awaitable<result<std::vector<std::optional<asset_title>>>>
find_titles(edge_context& edge, const routed_call& call, const std::vector<asset_id>& assets);

} // namespace marquee
