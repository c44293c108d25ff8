#include "schemas/play_text.hpp"

#include "schemas/json.hpp"
#include "schemas/record_lines.hpp"

namespace marquee
{

result<void> read_metadata(std::string_view record, std::string_view id, playable_text& into)
{
    if (raw_metadata raw; scan_record(record, id, raw))
    {
        into.title = raw.title;
        into.genre = raw.genre;
        into.summary = raw.summary;
        return {};
    }
    const auto decoded = decode_reply_about<asset_metadata_reply>(record, id);
    if (decoded.has_error())
        return decoded.error();
    into.title = encode_string(decoded->title);
    into.genre = encode_string(decoded->genre);
    into.summary = encode_string(decoded->summary);
    return {};
}

result<void> read_url(std::string_view record, std::string_view id, playable_text& into)
{
    if (raw_url raw; scan_record(record, id, raw))
    {
        into.url = raw.url;
        return {};
    }
    const auto decoded = decode_reply_about<asset_url_reply>(record, id);
    if (decoded.has_error())
        return decoded.error();
    into.url = encode_string(decoded->url);
    return {};
}

std::string encode_play(const std::string& id, const playable_text& about, const event_counts_reply& counts)
{
    const auto known = encode_string(id);
    const auto rest = encode(counts);
    std::string out;
    out.reserve(known.size() + about.title.size() + about.genre.size() + about.summary.size() + about.url.size() +
                rest.size() + 64);
    (out += "{\"id\":") += known;
    (out += ",\"title\":") += about.title;
    (out += ",\"genre\":") += about.genre;
    (out += ",\"summary\":") += about.summary;
    (out += ",\"url\":") += about.url;
    (out += ',').append(rest, 1);
    return out;
}

} // namespace marquee
