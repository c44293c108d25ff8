#include "schemas/json.hpp"

#include "schemas/ids.hpp"
#include "schemas/messages.hpp"

#include <boost/describe/members.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/mp11/algorithm.hpp>

#include <array>
#include <charconv>
#include <concepts>
#include <limits>

namespace marquee
{

namespace
{

namespace json = boost::json;

template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T>
concept described = boost::describe::has_describe_members<T>::value;

template <class T>
concept number = std::integral<T> && !std::same_as<T, bool>;

// ---- encode

void append(std::string& out, const std::string& text)
{
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    const auto* run = text.data(); // of characters that stand for themselves
    const auto* const end = run + text.size();
    for (const auto* at = run; at != end; ++at)
    {
        const auto c = static_cast<unsigned char>(*at);
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        out.append(run, at);
        run = at + 1;
        if (c >= 0x20)
            (out += '\\') += *at;
        else
            ((out += "\\u00") += hex[c >> 4]) += hex[c & 15];
    }
    out.append(run, end);
    out += '"';
}

void append(std::string& out, bool value) { out += value ? "true" : "false"; }

template <number T>
void append(std::string& out, T value)
{
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

template <class T>
void append(std::string& out, const nullable<T>& value);
template <class T>
void append(std::string& out, const std::vector<T>& list);
template <described T>
void append(std::string& out, const T& message);

template <class T>
void append(std::string& out, const nullable<T>& value)
{
    if (value.value)
        append(out, *value.value);
    else
        out += "null";
}

template <class T>
void append(std::string& out, const std::vector<T>& list)
{
    out += '[';
    for (std::size_t i = 0; i < list.size(); ++i)
    {
        if (i > 0)
            out += ',';
        append(out, list[i]);
    }
    out += ']';
}

void append_name(std::string& out, const char* name)
{
    if (out.back() != '{')
        out += ',';
    ((out += '"') += name) += "\":";
}

template <class T>
void append_member(std::string& out, const char* name, const T& value)
{
    append_name(out, name);
    append(out, value);
}

template <class T>
void append_member(std::string& out, const char* name, const std::optional<T>& value)
{
    if (value)
        append_member(out, name, *value);
}

template <described T>
void append(std::string& out, const T& message)
{
    out += '{';
    boost::mp11::mp_for_each<members_of<T>>([&](auto member) { append_member(out, member.name, message.*member.pointer); });
    out += '}';
}

// ---- decode: each read() says what it expected, empty where it was content

using complaint = std::string_view;

complaint read(const json::value& from, std::string& to)
{
    if (!from.is_string())
        return "must be a string";
    to.assign(from.as_string().data(), from.as_string().size());
    return {};
}

complaint read(const json::value& from, bool& to)
{
    if (!from.is_bool())
        return "must be true or false";
    to = from.as_bool();
    return {};
}

template <number T>
complaint read(const json::value& from, T& to)
{
    constexpr complaint wanted = "must be a whole number that is not negative";
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
complaint read(const json::value& from, nullable<T>& to);
template <class T>
complaint read(const json::value& from, std::vector<T>& to);
template <described T>
complaint read(const json::value& from, T& to);
template <described T>
complaint read_members(const json::object& from, T& to, std::string& field);

template <class T>
complaint read(const json::value& from, nullable<T>& to)
{
    if (from.is_null())
        return {};
    return read(from, to.value.emplace());
}

template <class T>
complaint read(const json::value& from, std::vector<T>& to)
{
    if (!from.is_array())
        return "must be a list";
    for (const auto& element : from.as_array())
        if (const auto wrong = read(element, to.emplace_back()); !wrong.empty())
            return wrong;
    return {};
}

template <described T>
complaint read(const json::value& from, T& to)
{
    std::string unnamed; // the outermost member is the one to name
    if (!from.is_object())
        return "must be an object";
    return read_members(from.as_object(), to, unnamed);
}

template <class T>
complaint read_member(const json::value* from, T& to)
{
    return from == nullptr ? complaint("is missing") : read(*from, to);
}

template <class T>
complaint read_member(const json::value* from, std::optional<T>& to)
{
    if (from == nullptr || from->is_null())
        return {};
    return read(*from, to.emplace());
}

template <described T>
complaint read_members(const json::object& from, T& to, std::string& field)
{
    complaint first;
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

// ---- limits of the contract

/// A member is at fault; `what` goes on from its name.
error wrong_member(const std::string& name, std::string_view what)
{
    return fail(errc::bad_request, "The member \"" + name + "\" " + std::string(what) + '.', name);
}

result<void> check_size(const std::string& text, std::size_t most, const char* field)
{
    if (text.size() > most)
        return wrong_member(field, "is longer than " + std::to_string(most) + " bytes");
    return {};
}

result<void> check_limit(const std::optional<std::uint64_t>& limit)
{
    if (limit && (*limit < 1 || *limit > 1000))
        return wrong_member("limit", "must be a number from 1 to 1000");
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
        return wrong_member("url", "is empty");
    for (const unsigned char c : m.url)
        if (c < 0x20 || c == 0x7F)
            return wrong_member("url", "holds a control character");
    return check_size(m.url, 4096, "url");
}

result<void> check(const list_request& m)
{
    if (m.after && !is_valid_id(*m.after))
        return wrong_member("after", "must be an id: 1 to 128 bytes of UTF-8 without control characters");
    return check_limit(m.limit);
}

result<void> check(const top_request& m) { return check_limit(m.limit); }

json::parse_options bounded()
{
    json::parse_options options;
    options.max_depth = 32;
    return options;
}

/// What keeps a text that was not read from being JSON, and at which byte; the first is byte 1.
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
    json::stream_parser again({}, bounded());
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
    auto parsed = json::parse(text, ec, {}, bounded());
    if (ec || !parsed.is_object())
        return std::nullopt;
    return std::move(parsed.as_object());
}

template <class T>
std::string encode(const T& message)
{
    std::string out;
    out.reserve(256); // of most messages
    append(out, message);
    return out;
}

template <class T>
result<T> decode(std::string_view text)
{
    std::array<unsigned char, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the parser
    json::monotonic_resource memory(buffer.data(), buffer.size());
    boost::system::error_code ec;
    const auto parsed = json::parse(text, ec, &memory, bounded());
    if (ec)
        return not_json(text);
    if (!parsed.is_object())
        return fail(errc::bad_request, "The body is JSON, but no object.");
    T message;
    std::string field;
    if (const auto wrong = read_members(parsed.as_object(), message, field); !wrong.empty())
        return wrong_member(field, wrong);
    if (auto checked = check(message); checked.has_error())
        return checked.error();
    return message;
}

#define MARQUEE_MESSAGE(T)                                                                                                       \
    template std::string encode<T>(const T&);                                                                                    \
    template result<T> decode<T>(std::string_view);

MARQUEE_MESSAGE(asset_metadata)
MARQUEE_MESSAGE(asset_metadata_reply)
MARQUEE_MESSAGE(asset_url)
MARQUEE_MESSAGE(asset_url_reply)
MARQUEE_MESSAGE(put_reply)
MARQUEE_MESSAGE(delete_reply)
MARQUEE_MESSAGE(error_reply)
MARQUEE_MESSAGE(list_request)
MARQUEE_MESSAGE(metadata_page)
MARQUEE_MESSAGE(url_page)
MARQUEE_MESSAGE(views_reply)
MARQUEE_MESSAGE(counts_reply)
MARQUEE_MESSAGE(top_request)
MARQUEE_MESSAGE(top_reply)
MARQUEE_MESSAGE(play_event_json)
MARQUEE_MESSAGE(play_reply)
MARQUEE_MESSAGE(event_counts_reply)
MARQUEE_MESSAGE(health_reply)
MARQUEE_MESSAGE(problem)
MARQUEE_MESSAGE(js_api_error)
MARQUEE_MESSAGE(pub_ack)

#undef MARQUEE_MESSAGE

} // namespace marquee
