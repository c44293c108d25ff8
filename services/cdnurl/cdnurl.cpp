#include "services/cdnurl/cdnurl.hpp"

#include "services/catalogue/catalogue_endpoints.hpp"

namespace marquee
{
namespace
{

catalogue_seed seed(std::string_view text, asset_url record)
{
    const auto id = asset_id::parse(text).value();
    return {id, catalogue_value<cdnurl_catalogue>(id, std::move(record))};
}

} // namespace

asset_url_reply cdnurl_catalogue::with_id(const asset_id& id, asset_url r) { return {id.text(), std::move(r.url)}; }

std::vector<catalogue_seed> cdnurl_seeds()
{
    return {seed("123", {"path/to/asset123.mp4"}), seed("456", {"path/to/asset456.mp4"})};
}

catalogue_program cdnurl_program()
{
    return {std::string(cdnurl_catalogue::service), "Where the video of each asset is published", cdnurl_seeds(),
            catalogue_endpoints<cdnurl_catalogue>, catalogue_value_is_valid<cdnurl_catalogue>};
}

} // namespace marquee
