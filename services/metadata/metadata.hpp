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
    static constexpr std::string_view service = "metadata";
    static reply with_id(const asset_id& id, record r);
};

/// The two assets that a new bucket is filled with, in order.
[[nodiscard]] std::vector<catalogue_seed> metadata_seeds();

/// The endpoints of a catalogue and `search`, on a store with an index of make_metadata_index,
/// which must outlive them and every request they serve.
[[nodiscard]] std::vector<endpoint_config> metadata_endpoints(catalogue_store& store);
[[nodiscard]] std::unique_ptr<catalogue_index> make_metadata_index();

/// For run_catalogue.
[[nodiscard]] catalogue_program metadata_program();

} // namespace marquee
