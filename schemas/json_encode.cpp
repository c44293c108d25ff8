// encode(): writes messages as JSON.
#include "schemas/json.hpp"
#include "schemas/json_members.hpp"

#include <array>
#include <charconv>

namespace marquee
{

namespace
{

void append(std::string& out, const std::string& text)
{
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    const auto* run = text.data(); // begin of the characters that need no escape
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
    boost::mp11::mp_for_each<members_of<T>>([&](auto member)
                                            { append_member(out, member.name, message.*member.pointer); });
    if constexpr (open_ended<T>)
        if (!message.further.empty())
            (out += ',') += message.further;
    out += '}';
}

} // namespace

template <class T>
std::string encode(const T& message)
{
    std::string out;
    out.reserve(256); // most messages are shorter
    append(out, message);
    return out;
}

std::string encode_string(const std::string& text)
{
    std::string out;
    out.reserve(text.size() + 2);
    append(out, text);
    return out;
}

#define MARQUEE_ENCODE(T) template std::string encode<T>(const T&);
MARQUEE_FOR_EACH_MESSAGE(MARQUEE_ENCODE)
#undef MARQUEE_ENCODE

} // namespace marquee
