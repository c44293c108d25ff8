// The service cdnurl: where the video of each asset is published.
#pragma once

#include "schemas/messages.hpp"
#include "services/catalogue/catalogue_program.hpp"

namespace marquee
{

/// The trait of services/catalogue/catalogue_endpoints.hpp.
struct cdnurl_catalogue
{
    using record = asset_url;
    using reply = asset_url_reply;
    static constexpr std::string_view service = "cdnurl";
    static reply with_id(const asset_id& id, record r);
};

/// The two assets that a new bucket is filled with, in order.
[[nodiscard]] std::vector<catalogue_seed> cdnurl_seeds();

/// For run_catalogue.
[[nodiscard]] catalogue_program cdnurl_program();

} // namespace marquee
