#include "services/metadata/metadata.hpp"

#include "services/catalogue/catalogue_endpoints.hpp"

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
    return {id.text(), std::move(r.title), std::move(r.genre), std::move(r.summary)};
}

std::vector<catalogue_seed> metadata_seeds()
{
    return {seed("123", {"It", "horror", "A very scary movie"}),
            seed("456", {"Terminator", "action", "Summary for terminator"})};
}

catalogue_program metadata_program()
{
    return {std::string(metadata_catalogue::service), "Title, genre and summary of each asset", metadata_seeds(),
            catalogue_endpoints<metadata_catalogue>, catalogue_value_is_valid<metadata_catalogue>};
}

} // namespace marquee
