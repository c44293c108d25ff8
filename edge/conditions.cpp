#include "edge/conditions.hpp"

#include <algorithm>
#include <charconv>

namespace marquee
{

namespace
{

std::optional<std::uint64_t> as_number(std::string_view text)
{
    std::uint64_t number = 0;
    const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || stop != text.data() + text.size())
        return std::nullopt;
    return number;
}

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
    if (parsed.tags.empty())
        return malformed;
    return std::optional<entity_tags>(std::move(parsed));
}

} // namespace

std::string make_etag(std::uint64_t revision) { return '"' + std::to_string(revision) + '"'; }

result<std::optional<std::uint64_t>> read_revision(std::string_view text)
{
    if (text.empty())
        return std::optional<std::uint64_t>();
    auto number = as_number(text);
    if (!number)
        return fail(errc::malformed_reply, "the revision is not a number");
    return number;
}

bool entity_tags::matches_strongly(std::uint64_t revision) const
{
    const auto wanted = std::to_string(revision);
    return any || std::any_of(tags.begin(), tags.end(), [&](const tag& t) { return !t.weak && t.text == wanted; });
}

bool entity_tags::matches_weakly(std::uint64_t revision) const
{
    const auto wanted = std::to_string(revision);
    return any || std::any_of(tags.begin(), tags.end(), [&](const tag& t) { return t.text == wanted; });
}

std::optional<std::uint64_t> entity_tags::only_revision() const
{
    if (any || tags.size() != 1 || tags.front().weak)
        return std::nullopt;
    const auto number = as_number(tags.front().text);
    // Only what we ourselves write is a revision: "07" is another tag than "7", and 0 means absent.
    if (!number || *number == 0 || std::to_string(*number) != tags.front().text)
        return std::nullopt;
    return number;
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

result<std::uint64_t> expected_revision(const conditions& given, std::uint64_t current)
{
    const bool exists = current != 0;
    if (given.if_match && !(exists && given.if_match->matches_strongly(current)))
        return fail(errc::revision_mismatch, "the current revision is not the one expected", "If-Match");
    if (given.if_none_match && exists && given.if_none_match->matches_weakly(current))
        return fail(errc::revision_mismatch, "the resource has a revision that was to be absent", "If-None-Match");
    return current;
}

} // namespace marquee
