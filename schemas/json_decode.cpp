// decode() and read_object(): read JSON, and check the limits of the contract.
#include "schemas/json.hpp"

#include "schemas/event.hpp"
#include "schemas/free_members.hpp"
#include "schemas/ids.hpp"
#include "schemas/json_members.hpp"
#include "schemas/live_place.hpp"
#include "schemas/title_place.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>

#include <array>
#include <limits>

namespace marquee
{

namespace
{

namespace json = boost::json;

/// What is wrong with a member, as the end of a sentence about it; empty if it was read.
using read_fault = std::string_view;

read_fault read(const json::value& from, std::string& to)
{
    if (!from.is_string())
        return "must be a string";
    to.assign(from.as_string().data(), from.as_string().size());
    return {};
}

read_fault read(const json::value& from, bool& to)
{
    if (!from.is_bool())
        return "must be true or false";
    to = from.as_bool();
    return {};
}

template <number T>
read_fault read(const json::value& from, T& to)
{
    constexpr read_fault wanted = "must be a whole number that is not negative";
    std::uint64_t value = 0;
    if (from.is_uint64())
        value = from.as_uint64();
    else if (from.is_int64() && from.as_int64() >= 0)
        value = static_cast<std::uint64_t>(from.as_int64());
    else
        return wanted;
    if (value > static_cast<std::uint64_t>(std::numeric_limits<T>::max()))
        return wanted;
    to = static_cast<T>(value);
    return {};
}

template <class T>
read_fault read(const json::value& from, nullable<T>& to);
template <class T>
read_fault read(const json::value& from, std::vector<T>& to);
template <described T>
read_fault read(const json::value& from, T& to);
template <described T>
read_fault read_members(const json::object& from, T& to, std::string& field);

template <class T>
read_fault read(const json::value& from, nullable<T>& to)
{
    if (from.is_null())
        return {};
    return read(from, to.value.emplace());
}

template <class T>
read_fault read(const json::value& from, std::vector<T>& to)
{
    if (!from.is_array())
        return "must be a list";
    for (const auto& element : from.as_array())
        if (const auto wrong = read(element, to.emplace_back()); !wrong.empty())
            return wrong;
    return {};
}

template <described T>
read_fault read(const json::value& from, T& to)
{
    std::string unnamed; // an error names the outermost member
    if (!from.is_object())
        return "must be an object";
    return read_members(from.as_object(), to, unnamed);
}

template <class T>
read_fault read_member(const json::value* from, T& to)
{
    return from == nullptr ? read_fault("is missing") : read(*from, to);
}

template <class T>
read_fault read_member(const json::value* from, std::optional<T>& to)
{
    if (from == nullptr || from->is_null())
        return {};
    return read(*from, to.emplace());
}

template <described T>
read_fault read_members(const json::object& from, T& to, std::string& field)
{
    read_fault first;
    boost::mp11::mp_for_each<members_of<T>>(
        [&](auto member)
        {
            if (!first.empty())
                return;
            first = read_member(from.if_contains(member.name), to.*member.pointer);
            if (!first.empty())
                field = member.name;
        });
    return first;
}

/// The error of a member; `what` continues the sentence that begins with its name.
error member_error(const std::string& name, std::string_view what)
{
    return fail(errc::bad_request, "The member \"" + name + "\" " + std::string(what) + '.', name);
}

result<void> check_size(const std::string& text, std::size_t most, const char* field)
{
    if (text.size() > most)
        return member_error(field, "is longer than " + std::to_string(most) + " bytes");
    return {};
}

result<void> check_limit(const std::optional<std::uint64_t>& limit)
{
    if (limit && (*limit < 1 || *limit > 1000))
        return member_error("limit", "must be a number from 1 to 1000");
    return {};
}

template <class T>
result<void> check(const T&)
{
    return {};
}

result<void> check(const asset_metadata& m)
{
    auto checked = check_size(m.title, 1024, "title");
    if (checked)
        checked = check_size(m.genre, 1024, "genre");
    if (checked)
        checked = check_size(m.summary, 16384, "summary");
    return checked;
}

result<void> check(const asset_url& m)
{
    if (m.url.empty())
        return member_error("url", "is empty");
    for (const unsigned char c : m.url)
        if (c < 0x20 || c == 0x7F)
            return member_error("url", "holds a control character");
    return check_size(m.url, 4096, "url");
}

result<void> check(const list_request& m)
{
    if (m.after && !is_valid_id(*m.after))
        return member_error("after", "must be an id: 1 to 128 bytes of UTF-8 without control characters");
    return check_limit(m.limit);
}

result<void> check_optional_size(const std::optional<std::string>& text, std::size_t most, const char* field)
{
    return text ? check_size(*text, most, field) : result<void>();
}

result<void> check(const search_request& m)
{
    const bool by_title = m.sort == "title";
    if (m.sort && !by_title && *m.sort != "id")
        return member_error("sort", "must be title or id");
    if (by_title && m.after && !parse_title_place(*m.after))
        return member_error("after", "must be the next of an earlier answer in this order");
    if (!by_title && m.after && !is_valid_id(*m.after))
        return member_error("after", "must be an id: 1 to 128 bytes of UTF-8 without control characters");
    auto checked = check_optional_size(m.q, 512, "q");
    if (checked)
        checked = check_optional_size(m.genre, 1024, "genre");
    if (checked)
        checked = check_optional_size(m.tag, 1024, "tag");
    return checked ? check_limit(m.limit) : checked;
}

result<void> check(const top_request& m) { return check_limit(m.limit); }

result<void> check(const live_request& m)
{
    if (m.after && !live_place::parse(*m.after))
        return member_error("after", "must be a place: EPOCH-SEQUENCE-INDEX or EPOCH-SEQUENCE");
    return check_limit(m.limit);
}

result<void> check(const history_request& m) { return check_limit(m.limit); }

result<void> check(const series_request& m)
{
    if (m.step && *m.step != "hour" && *m.step != "day")
        return member_error("step", "must be \"hour\" or \"day\"");
    return {};
}

result<void> check(const correction& m)
{
    if (m.retract.has_value() == m.erase.has_value())
        return fail(errc::bad_request, "expected exactly one of the members \"retract\" and \"erase\"");
    if (m.retract && !is_valid_event_id(*m.retract))
        return member_error("retract", "must be an event id: 1 to 64 of [A-Za-z0-9_.-]");
    if (m.erase && !is_valid_id(*m.erase))
        return member_error("erase", "must be an id: 1 to 128 bytes of UTF-8 without control characters");
    return {};
}

constexpr std::string_view named_in_metadata[] = {"id", "title", "genre", "summary"};

json::parse_options parse_limits()
{
    json::parse_options options;
    options.max_depth = 32;
    return options;
}

/// Why a text could not be parsed, with the position: the first byte is byte 1. Parses again,
/// because json::parse does not report positions.
error not_json(std::string_view text)
{
    const auto wrong = [](std::string detail) { return fail(errc::bad_request, std::move(detail)); };
    const auto at_byte = [](std::size_t offset) { return " at byte " + std::to_string(offset + 1); };
    if (text.empty())
        return wrong("The body is empty; a JSON object is expected.");
    if (text.starts_with("\xEF\xBB\xBF"))
        return wrong("The body has a byte order mark at byte 1; JSON is sent without one.");
    if (const auto valid = valid_utf8_prefix(text); valid < text.size())
        return wrong("The body is not UTF-8" + at_byte(valid) + '.');
    json::stream_parser again({}, parse_limits());
    boost::system::error_code ec;
    const auto read = again.write_some(text.data(), text.size(), ec);
    if (ec == json::error::too_deep)
        return wrong("The body is JSON of more than 32 levels" + at_byte(read) + '.');
    if (!ec && read < text.size())
        return wrong("The body is not JSON" + at_byte(read) + ": something follows the value.");
    if (!ec)
        return wrong("The body is not JSON" + at_byte(text.size()) + ": it ends too soon.");
    return wrong("The body is not JSON" + at_byte(read) + ": " + ec.message() + '.');
}

} // namespace

std::optional<json::object> read_object(std::string_view text)
{
    boost::system::error_code ec;
    auto parsed = json::parse(text, ec, {}, parse_limits());
    if (ec || !parsed.is_object())
        return std::nullopt;
    return std::move(parsed.as_object());
}

template <class T>
result<T> decode(std::string_view text)
{
    std::array<unsigned char, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the parser
    json::monotonic_resource memory(buffer.data(), buffer.size());
    boost::system::error_code ec;
    const auto parsed = json::parse(text, ec, &memory, parse_limits());
    if (ec)
        return not_json(text);
    if (!parsed.is_object())
        return fail(errc::bad_request, "The body is JSON, but no object.");
    T message;
    std::string field;
    if (const auto wrong = read_members(parsed.as_object(), message, field); !wrong.empty())
        return member_error(field, wrong);
    if (auto checked = check(message); checked.has_error())
        return checked.error();
    if constexpr (open_ended<T>)
        message.further = free_members(text, named_in_metadata);
    return message;
}

#define MARQUEE_DECODE(T) template result<T> decode<T>(std::string_view);
MARQUEE_FOR_EACH_MESSAGE(MARQUEE_DECODE)
#undef MARQUEE_DECODE

} // namespace marquee
