// GET /content/assets: all assets by page, a search, or the assets of given ids.
#include "edge/routes/handlers.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "schemas/messages.hpp"
#include "schemas/record_lines.hpp"

#include <algorithm>

namespace marquee::handlers
{

namespace
{

constexpr std::size_t most_ids = 100;
constexpr const char* caching = "no-cache"; ///< as of each record

bool has(const request_target& target, std::string_view name)
{
    return std::any_of(target.query.begin(), target.query.end(),
                       [name](const auto& each) { return each.first == name; });
}

/// Reads a query parameter of text. Fails with bad_request where it is not UTF-8.
result<void> read_text(const request_target& target, const char* name, std::optional<std::string>& into)
{
    auto value = query_value(target, name);
    if (value.has_error())
        return value.error();
    if (*value && valid_utf8_prefix(**value) < (*value)->size())
        return fail(errc::bad_request, "The parameter " + std::string(name) + " is not UTF-8.", name);
    into = std::move(*value);
    return {};
}

/// The body of metadata.search, within its limits.
result<std::string> search_payload(const request_target& target)
{
    search_request wanted;
    const std::pair<const char*, std::optional<std::string>*> texts[] = {{"q", &wanted.q},
                                                                         {"genre", &wanted.genre},
                                                                         {"tag", &wanted.tag},
                                                                         {"sort", &wanted.sort},
                                                                         {"after", &wanted.after}};
    for (const auto& [name, into] : texts)
        if (auto read = read_text(target, name, *into); read.has_error())
            return read.error();
    const auto limit = query_limit(target);
    if (limit.has_error())
        return limit.error();
    wanted.limit = *limit;
    auto payload = encode(wanted);
    if (const auto checked = decode<search_request>(payload); checked.has_error())
    {
        const auto& field = checked.error().field;
        return fail(errc::bad_request, "The parameter " + field + " exceeds its limit, or is none that it may be.",
                    field);
    }
    return payload;
}

handler_result search_assets(edge_context& edge, routed_call call)
{
    auto payload = search_payload(call.target);
    if (payload.has_error())
        co_return payload.error();
    hedged_request lookup(edge.services, upstream_service::metadata, subjects::metadata_search(), call.upstream_call(),
                          sending::alone, std::move(*payload));
    auto reply = co_await lookup.receive();
    if (reply.has_error())
        co_return reply.error();
    const auto page = decode_reply<search_page>(reply->data);
    if (page.has_error())
        co_return page.error();
    if (!std::all_of(page->assets.begin(), page->assets.end(), [](const auto& each) { return is_valid_id(each.id); }))
        co_return fail(errc::malformed_reply, "The reply holds an invalid id.", "id");
    auto found = json_response(std::move(reply->data));
    found.fields.add("Cache-Control", caching);
    co_return found;
}

/// The ids that are asked for, each once.
result<std::vector<asset_id>> read_ids(const request_target& target)
{
    std::vector<asset_id> ids;
    for (const auto& [name, value] : target.query)
    {
        if (name == "_")
            continue;
        if (name != "id")
            return fail(errc::bad_request, "The parameter " + name + " does not go with id.", name);
        auto id = asset_id::parse(value);
        if (id.has_error())
            return fail(errc::bad_request, id.error().detail, "id");
        if (std::find(ids.begin(), ids.end(), *id) == ids.end())
            ids.push_back(std::move(*id));
        if (ids.size() > most_ids)
            return fail(errc::bad_request, "At most " + std::to_string(most_ids) + " ids go into one request.", "id");
    }
    return ids;
}

/// The records of assets, as far as they are known.
struct wanted_records
{
    std::vector<asset_id> ids;
    std::vector<std::string> records; ///< of each id; empty: not known, or absent
    std::vector<std::size_t> open;    ///< not known, in order
    std::string missing = {};         ///< the absent ones, as elements of a JSON array
};

std::string tokens_of(const wanted_records& wanted)
{
    std::string tokens;
    for (const auto i : wanted.open)
        (tokens += wanted.ids[i].token()) += '\n';
    return tokens;
}

/// Takes over what a reply of metadata.gets says about the open ids. A reply says something of one
/// at least, for the largest record has room in it.
result<void> take(const std::string& reply, wanted_records& wanted)
{
    const auto lines = read_record_lines(reply, wanted.open.size());
    if (lines.has_error())
        return lines.error();
    std::vector<std::size_t> left;
    for (std::size_t line = 0; line < lines->size(); ++line)
    {
        const auto i = wanted.open[line];
        const auto& one = (*lines)[line];
        if (one.what == record_line::kind::not_here)
            left.push_back(i);
        else if (one.what == record_line::kind::absent)
            (wanted.missing += wanted.missing.empty() ? "" : ",") += encode_string(wanted.ids[i].text());
        else if (one.what != record_line::kind::found)
            return fail(errc::malformed_reply, "The reply refuses the token of an id.");
        else if (auto read = decode_reply_about<asset_metadata_reply>(one.record, wanted.ids[i].text());
                 read.has_error())
            return read.error();
        else
            wanted.records[i] = one.record;
    }
    if (left.size() == wanted.open.size())
        return fail(errc::malformed_reply, "The reply says nothing of any asset.");
    wanted.open = std::move(left);
    return {};
}

std::string body_of(const wanted_records& wanted)
{
    std::string body = "{\"assets\":[";
    for (const auto& record : wanted.records)
        if (!record.empty())
            (body += body.back() == '[' ? "" : ",") += record;
    return (((body += "],\"missing\":[") += wanted.missing) += "]}");
}

handler_result read_assets(edge_context& edge, routed_call call)
{
    auto ids = read_ids(call.target);
    if (ids.has_error())
        co_return ids.error();
    wanted_records wanted{std::move(*ids), {}, {}};
    wanted.records.resize(wanted.ids.size());
    for (std::size_t i = 0; i < wanted.ids.size(); ++i)
        wanted.open.push_back(i);
    while (!wanted.open.empty())
    {
        hedged_request lookup(edge.services, upstream_service::metadata, subjects::metadata_gets(),
                              call.upstream_call(), sending::alone, tokens_of(wanted));
        const auto reply = co_await lookup.receive();
        if (reply.has_error())
            co_return reply.error();
        if (const auto taken = take(reply->data, wanted); taken.has_error())
            co_return taken.error();
    }
    auto found = json_response(body_of(wanted));
    found.fields.add("Cache-Control", caching);
    co_return found;
}

} // namespace

/// A plain list is a request that services know which have no search.
handler_result list_content(edge_context& edge, routed_call call)
{
    if (has(call.target, "id"))
        return read_assets(edge, std::move(call));
    for (const auto* name : {"q", "genre", "tag", "sort"})
        if (has(call.target, name))
            return search_assets(edge, std::move(call));
    return list_metadata(edge, std::move(call));
}

} // namespace marquee::handlers
