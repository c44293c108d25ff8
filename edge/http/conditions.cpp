#include "edge/http/conditions.hpp"

#include "schemas/parse_number.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

result<std::optional<entity_tags>> read_tags(const http_fields& fields, std::string_view header)
{
    const auto value = fields.joined(header);
    if (!value)
        return std::optional<entity_tags>();
    const auto malformed =
        fail(errc::bad_request, "The field is neither * nor a list of quoted entity tags.", std::string(header));

    entity_tags parsed;
    const auto rest = trim_blanks(*value);
    if (rest == "*")
    {
        parsed.any = true;
        return std::optional<entity_tags>(parsed);
    }
    for (auto element : list_elements(rest))
    {
        entity_tags::tag one;
        one.weak = element.starts_with("W/");
        element.remove_prefix(one.weak ? 2 : 0);
        if (element.size() < 2 || element.front() != '"' || element.find('"', 1) != element.size() - 1)
            return malformed;
        one.text = element.substr(1, element.size() - 2);
        parsed.tags.push_back(std::move(one));
    }
    return std::optional<entity_tags>(std::move(parsed));
}

bool has(const std::vector<entity_tags::tag>& tags, const std::optional<record_tag>& wanted, bool weak_too)
{
    if (!wanted)
        return false;
    const auto text = to_text(*wanted);
    return std::any_of(tags.begin(), tags.end(),
                       [&](const auto& t) { return (weak_too || !t.weak) && t.text == text; });
}

} // namespace

std::string make_etag(const record_tag& tag) { return '"' + to_text(tag) + '"'; }

result<record_state> record_state::of(std::string_view tag, std::string_view revision)
{
    record_state state;
    if (!revision.empty() && !(state.revision = parse_number<std::uint64_t>(revision)))
        return fail(errc::malformed_reply, "The revision is not a number.");
    if (tag.empty())
        return state;
    state.tag = parse_record_tag(tag);
    if (!state.tag)
        return fail(errc::malformed_reply, "The tag is malformed.");
    if (state.revision.value_or(state.tag->revision) != state.tag->revision)
        return fail(errc::malformed_reply, "The tag is of another revision.");
    state.revision = state.tag->revision;
    return state;
}

bool entity_tags::matches_strongly(const std::optional<record_tag>& current) const
{
    return any || has(tags, current, false);
}

bool entity_tags::matches_weakly(const std::optional<record_tag>& current) const
{
    return any || has(tags, current, true);
}

std::optional<record_tag> entity_tags::only_tag() const
{
    if (any || tags.size() != 1 || tags.front().weak)
        return std::nullopt;
    return parse_record_tag(tags.front().text);
}

result<conditions> conditions::of(const http_fields& fields)
{
    auto match = read_tags(fields, "If-Match");
    if (match.has_error())
        return match.error();
    auto none_match = read_tags(fields, "If-None-Match");
    if (none_match.has_error())
        return none_match.error();
    conditions both;
    both.if_match = std::move(*match);
    both.if_none_match = std::move(*none_match);
    return both;
}

result<void> check_conditions(const conditions& given, const std::optional<record_state>& current)
{
    if (given.if_match && !(current && given.if_match->matches_strongly(current->tag)))
        return fail(errc::revision_mismatch, "The current tag is not one of those expected.", "If-Match");
    if (given.if_none_match && current && given.if_none_match->matches_weakly(current->tag))
        return fail(errc::revision_mismatch, "The resource has a tag that is not to match.", "If-None-Match");
    return {};
}

} // namespace marquee
