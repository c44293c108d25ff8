#include "schemas/free_members.hpp"

#include "schemas/utf8.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace marquee
{

namespace
{

/// A member as it is written.
struct raw_member
{
    std::string_view name; ///< with its quotes
    std::string_view value;
};

/// The members of a JSON object, one after the other. Of text that is no JSON it gives anything.
class member_reader
{
public:
    explicit member_reader(std::string_view object) : rest_(object)
    {
        skip_space();
        skip(1);
    }

    std::optional<raw_member> next()
    {
        skip_space();
        if (rest_.starts_with(','))
            skip(1);
        skip_space();
        if (!rest_.starts_with('"'))
            return std::nullopt;
        raw_member found;
        found.name = take(string_size());
        skip_space();
        skip(1); // the colon
        skip_space();
        found.value = take(value_size());
        return found;
    }

private:
    void skip(std::size_t bytes) noexcept { rest_.remove_prefix(std::min(bytes, rest_.size())); }
    void skip_space() noexcept { skip(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    std::string_view take(std::size_t bytes) noexcept
    {
        const auto taken = rest_.substr(0, bytes);
        skip(bytes);
        return taken;
    }

    /// Of the string that begins at `from`.
    [[nodiscard]] std::size_t string_size(std::size_t from = 0) const noexcept
    {
        auto at = from + 1;
        while (at < rest_.size() && rest_[at] != '"')
            at += rest_[at] == '\\' ? 2 : 1;
        return std::min(at + 1, rest_.size()) - from;
    }

    [[nodiscard]] std::size_t value_size() const noexcept
    {
        int depth = 0;
        for (std::size_t at = 0; at < rest_.size(); ++at)
        {
            const char c = rest_[at];
            if (depth == 0 && std::string_view(",} \t\r\n").find(c) != std::string_view::npos)
                return at;
            if (c == '"')
                at += string_size(at) - 1;
            else if (c == '{' || c == '[')
                ++depth;
            else if (c == '}' || c == ']')
                --depth;
        }
        return rest_.size();
    }

    std::string_view rest_;
};

std::string decoded(std::string_view json_string)
{
    if (json_string.find('\\') == std::string_view::npos)
        return std::string(json_string.substr(1, json_string.size() - 2));
    boost::system::error_code ec;
    const auto read = boost::json::parse(json_string, ec);
    return !ec && read.is_string() ? std::string(read.as_string()) : std::string(json_string);
}

bool is_refused_control(std::uint32_t point) noexcept
{
    return (point < 0x20 && point != '\t' && point != '\n' && point != '\r') || (point >= 0x7F && point <= 0x9F);
}

/// Of UTF-8.
bool has_control(std::string_view text) noexcept
{
    while (!text.empty())
    {
        std::uint32_t point = 0;
        const auto size = decode_utf8(text, point);
        if (size == 0 || is_refused_control(point))
            return true;
        text.remove_prefix(size);
    }
    return false;
}

std::uint32_t four_hex_digits(std::string_view digits) noexcept
{
    std::uint32_t value = 0;
    for (const char c : digits.substr(0, 4))
        value = value * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    return value;
}

/// Of JSON: a control character in it stands in a string, written as itself (from U+007F on) or as
/// an escape.
bool has_control_in_json(std::string_view json) noexcept
{
    for (std::size_t at = json.find('\\'); at < json.size(); at = json.find('\\', at + 2))
    {
        const char escape = at + 1 < json.size() ? json[at + 1] : '\0';
        if (escape == 'b' || escape == 'f' ||
            (escape == 'u' && is_refused_control(four_hex_digits(json.substr(at + 2)))))
            return true;
    }
    return has_control(json);
}

/// The name of a member as the `field` of an error, which is short printable ASCII.
std::string field_of(const std::string& name)
{
    const bool plain = !name.empty() && name.size() <= 64 &&
                       std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    return plain ? name : "body";
}

error refused(const std::string& name, const std::string& what)
{
    const auto field = field_of(name);
    return fail(errc::bad_request, (field == "body" ? "A member " : "The member \"" + name + "\" ") + what, field);
}

const std::string no_controls = "holds a control character other than a line break or a tab.";

result<void> check_free(const std::string& members)
{
    if (members.size() > max_free_bytes)
        return fail(errc::bad_request,
                    "The further members have more than " + std::to_string(max_free_bytes) + " bytes in all.", "body");
    const auto object = '{' + members + '}';
    std::vector<std::string> names;
    member_reader reader(object);
    for (auto each = reader.next(); each; each = reader.next())
    {
        names.push_back(decoded(each->name));
        if (has_control_in_json(each->name) || has_control_in_json(each->value))
            return refused(names.back(), no_controls);
    }
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
        return refused(*twice, "is given more than once.");
    return {};
}

} // namespace

void append_compact(std::string& out, std::string_view json)
{
    bool in_string = false;
    for (std::size_t i = 0; i < json.size(); ++i)
    {
        const char c = json[i];
        if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
            continue;
        out += c;
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\' && i + 1 < json.size())
            out += json[++i];
    }
}

std::string free_members(std::string_view object, std::span<const std::string_view> known)
{
    std::string out;
    member_reader reader(object);
    for (auto each = reader.next(); each; each = reader.next())
    {
        if (std::find(known.begin(), known.end(), decoded(each->name)) != known.end())
            continue;
        if (!out.empty())
            out += ',';
        (out += each->name) += ':';
        append_compact(out, each->value);
    }
    return out;
}

result<void> check_new_record(const asset_metadata& record)
{
    if (has_control(record.title))
        return refused("title", no_controls);
    if (has_control(record.genre))
        return refused("genre", no_controls);
    if (has_control(record.summary))
        return refused("summary", no_controls);
    return check_free(record.further);
}

} // namespace marquee
