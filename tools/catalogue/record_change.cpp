#include "tools/catalogue/record_change.hpp"

#include "schemas/free_members.hpp"
#include "schemas/json.hpp"
#include "schemas/messages.hpp"
#include "schemas/video_url.hpp"
#include "tools/catalogue/cells.hpp"
#include "tools/catalogue/raw_json.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace marquee::catalogue_files
{
namespace
{

/// A member of the record to be.
struct part
{
    std::string name;
    std::string_view raw; ///< empty: not there
};

/// Members that every record has, first and in this order.
constexpr std::string_view title_name = "title";
constexpr std::string_view genre_name = "genre";
constexpr std::string_view summary_name = "summary";
constexpr std::string_view empty_text = "\"\"";

bool is_text_of_every_record(std::string_view name)
{
    return name == title_name || name == genre_name || name == summary_name;
}

std::string_view wanted_value(const title_member& member)
{
    return member.raw.empty() && is_text_of_every_record(member.name) ? empty_text : std::string_view(member.raw);
}

bool is_equal(std::string_view stands, const title_member& member, std::string_view separator)
{
    const auto wanted = wanted_value(member);
    if (stands == wanted)
        return true;
    if (member.as_cell)
        return cell_of_value(stands, separator) == member.cell;
    if (stands.empty() || wanted.empty())
        return false;
    return is_same_value(stands, wanted);
}

std::string body_of(const std::vector<part>& parts)
{
    std::string body = "{";
    for (const auto& [name, raw] : parts)
    {
        if (raw.empty())
            continue;
        if (body.size() > 1)
            body += ',';
        ((body += encode_string(name)) += ':') += raw;
    }
    return body += '}';
}

/// The body, checked as the service does.
template <class Message>
result<put_body> checked(std::string body)
{
    auto read = decode<Message>(body);
    if (read.has_error())
        return read.error();
    if (const auto allowed = check_new_record(*read); allowed.has_error())
        return allowed.error();
    return put_body(std::move(body));
}

} // namespace

result<put_body> change_metadata(const std::optional<std::string_view>& standing, const title_row& row,
                                 std::string_view separator)
{
    std::vector<part> parts;
    bool changed = false;
    if (!standing &&
        std::all_of(row.members.begin(), row.members.end(), [](const title_member& each) { return each.raw.empty(); }))
        return put_body();
    if (!standing)
        parts = {{std::string(title_name), {}},
                 {std::string(genre_name), empty_text},
                 {std::string(summary_name), empty_text}};
    else
    {
        const auto members = members_of_object(*standing);
        if (!members)
            return fail(errc::malformed_reply, "the record that stands is no JSON object");
        for (const auto& [name, raw] : *members)
            if (name != "id")
                parts.push_back({name, raw});
    }
    for (const auto& member : row.members)
    {
        auto at = std::find_if(parts.begin(), parts.end(), [&](const part& each) { return each.name == member.name; });
        if (at == parts.end())
            at = parts.insert(parts.end(), part{member.name, {}});
        if (standing && is_equal(at->raw, member, separator))
            continue;
        at->raw = wanted_value(member);
        changed = true;
    }
    if (!changed)
        return put_body();
    return checked<asset_metadata>(body_of(parts));
}

result<put_body> change_url(const std::optional<std::string_view>& standing, const title_row& row)
{
    if (standing)
    {
        const auto read = decode_reply<asset_url_reply>(*standing);
        if (read.has_error())
            return read.error();
        if (read->url == *row.url)
            return put_body();
    }
    return checked<asset_url>("{\"url\":" + encode_string(*row.url) + '}');
}

} // namespace marquee::catalogue_files
