// The service metadata: title, genre and summary of each asset.
#pragma once

#include "schemas/messages.hpp"
#include "services/catalogue/catalogue_program.hpp"

namespace marquee
{

/// The trait of services/catalogue/catalogue_endpoints.hpp.
struct metadata_catalogue
{
    using record = asset_metadata;
    using reply = asset_metadata_reply;
    using page = metadata_page;
    static constexpr std::string_view service = "metadata";
    static reply with_id(const asset_id& id, record r);
};

/// The two assets that a new bucket is filled with, in order.
[[nodiscard]] std::vector<catalogue_seed> metadata_seeds();

/// For run_catalogue.
[[nodiscard]] catalogue_program metadata_program();

} // namespace marquee
