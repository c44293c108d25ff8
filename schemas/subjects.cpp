#include "schemas/subjects.hpp"

#include "schemas/char_set.hpp"

#include <stdexcept>

namespace marquee
{

namespace
{

bool is_token(std::string_view token)
{
    static constexpr char_set allowed("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$=-");
    return !token.empty() && allowed.covers(token);
}

} // namespace

subject subject::of(std::initializer_list<std::string_view> tokens)
{
    std::size_t size = 0;
    for (const auto token : tokens)
        size += token.size() + 1;
    std::string text;
    text.reserve(size);
    for (const auto token : tokens)
    {
        if (!is_token(token))
            throw std::invalid_argument("not a subject token: " + std::string(token));
        if (!text.empty())
            text += '.';
        text += token;
    }
    if (text.empty())
        throw std::invalid_argument("a subject has at least one token");
    return subject(std::move(text));
}

namespace subjects
{

subject metadata_get(const asset_id& id) { return subject::of({"metadata", "get", id.token()}); }
subject metadata_put(const asset_id& id) { return subject::of({"metadata", "put", id.token()}); }
subject metadata_delete(const asset_id& id) { return subject::of({"metadata", "delete", id.token()}); }
subject metadata_list() { return subject::of({"metadata", "list"}); }
subject metadata_search() { return subject::of({"metadata", "search"}); }
subject metadata_gets() { return subject::of({"metadata", "gets"}); }

subject cdnurl_get(const asset_id& id) { return subject::of({"cdnurl", "get", id.token()}); }
subject cdnurl_put(const asset_id& id) { return subject::of({"cdnurl", "put", id.token()}); }
subject cdnurl_delete(const asset_id& id) { return subject::of({"cdnurl", "delete", id.token()}); }
subject cdnurl_list() { return subject::of({"cdnurl", "list"}); }
subject cdnurl_gets() { return subject::of({"cdnurl", "gets"}); }

subject reporting_asset(const asset_id& id) { return subject::of({"reporting", "asset", id.token()}); }
subject reporting_user(const user_id& id) { return subject::of({"reporting", "user", id.token()}); }
subject reporting_views(const asset_id& asset, const user_id& user)
{
    return subject::of({"reporting", "views", asset.token(), user.token()});
}
subject reporting_top() { return subject::of({"reporting", "top"}); }
subject reporting_series() { return subject::of({"reporting", "series"}); }
subject reporting_series(const asset_id& id) { return subject::of({"reporting", "series", id.token()}); }
subject reporting_history(const user_id& id) { return subject::of({"reporting", "history", id.token()}); }
subject reporting_assets() { return subject::of({"reporting", "assets"}); }
subject reporting_live() { return subject::of({"reporting", "live"}); }

std::string pattern(std::string_view service, std::string_view endpoint, int ids)
{
    auto text = subject::of({service, endpoint}).str();
    for (; ids > 0; --ids)
        text += ".*";
    return text;
}

subject kv_entry(std::string_view bucket, const asset_id& id) { return subject::of({"$KV", bucket, id.token()}); }

subject events() { return subject::of({"events"}); }
subject events_admin() { return subject::of({"events", "admin"}); }

subject discovery(std::string_view verb) { return subject::of({"$SRV", verb}); }
subject discovery(std::string_view verb, std::string_view service) { return subject::of({"$SRV", verb, service}); }

std::string_view token_at(std::string_view arrived, std::size_t index) noexcept
{
    for (; index > 0; --index)
    {
        const auto dot = arrived.find('.');
        if (dot == std::string_view::npos)
            return {};
        arrived.remove_prefix(dot + 1);
    }
    return arrived.substr(0, arrived.find('.'));
}

} // namespace subjects

} // namespace marquee
