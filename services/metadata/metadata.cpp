#include "services/metadata/metadata.hpp"

#include "services/catalogue/catalogue_endpoints.hpp"
#include "services/metadata/search.hpp"

namespace marquee
{
namespace
{

catalogue_seed seed(std::string_view text, asset_metadata record)
{
    const auto id = asset_id::parse(text).value();
    return {id, catalogue_value<metadata_catalogue>(id, std::move(record))};
}

} // namespace

asset_metadata_reply metadata_catalogue::with_id(const asset_id& id, asset_metadata r)
{
    return {id.text(), std::move(r.title), std::move(r.genre), std::move(r.summary), std::move(r.further)};
}

std::vector<catalogue_seed> metadata_seeds()
{
    return {seed("123", {"It", "horror", "A very scary movie"}),
            seed("456", {"Terminator", "action", "Summary for terminator"})};
}

std::vector<endpoint_config> metadata_endpoints(catalogue_store& store)
{
    auto endpoints = catalogue_endpoints<metadata_catalogue>(store);
    endpoints.push_back(search_endpoint(store));
    return endpoints;
}

std::unique_ptr<catalogue_index> make_metadata_index() { return std::make_unique<search_index>(); }

catalogue_program metadata_program()
{
    return {std::string(metadata_catalogue::service),
            "Title, genre and summary of each asset",
            metadata_seeds(),
            metadata_endpoints,
            catalogue_value_is_valid<metadata_catalogue>,
            make_metadata_index};
}

} // namespace marquee
