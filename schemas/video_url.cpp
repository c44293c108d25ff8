#include "schemas/video_url.hpp"

#include "schemas/percent.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace marquee
{

namespace
{

/// `text` percent-decoded once. What is no escape stays.
std::string decoded_once(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        if (const auto byte = percent_escape(text, i))
        {
            out += *byte;
            i += 2;
        }
        else
            out += text[i];
    }
    return out;
}

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// The scheme in lower case; empty where there is none.
std::string scheme_of(std::string_view url)
{
    const auto colon = url.find(':');
    if (colon == std::string_view::npos || url.find_first_of("/?#") < colon)
        return {};
    std::string scheme(url.substr(0, colon));
    std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return scheme;
}

bool has_dot_segment(std::string_view path)
{
    while (!path.empty())
    {
        const auto segment = path.substr(0, path.find('/'));
        if (segment == "." || segment == "..")
            return true;
        path.remove_prefix(std::min(path.size(), segment.size() + 1));
    }
    return false;
}

/// What is wrong with a URL as it stands; empty: nothing.
std::string_view fault_of(std::string_view url)
{
    if (std::any_of(url.begin(), url.end(), is_control))
        return "has no control characters";
    if (url.find('\\') != std::string_view::npos)
        return "has no backslash";
    // A browser leaves out spaces in front.
    url.remove_prefix(std::min(url.find_first_not_of(' '), url.size()));
    if (url.starts_with("//"))
        return "does not begin with two slashes";
    const auto scheme = scheme_of(url);
    for (const auto* const refused : {"javascript", "data", "vbscript", "blob", "file"})
        if (scheme == refused)
            return "is none of javascript:, data:, vbscript:, blob: and file:";
    auto path = url.substr(0, url.find_first_of("?#"));
    if (!scheme.empty())
        path.remove_prefix(scheme.size() + 1);
    if (has_dot_segment(path))
        return "has no segment . or .. in its path";
    return {};
}

} // namespace

result<void> check_new_record(const asset_url& record)
{
    const auto refuse = [](std::string_view fault)
    { return fail(errc::bad_request, "a url " + std::string(fault), "url"); };
    if (const auto fault = fault_of(record.url); !fault.empty())
        return refuse(fault);
    // What decodes the path once more than a browser does must not find another one in it. Escapes
    // of the query are its own matter.
    constexpr int most_times = 4;
    auto path = record.url.substr(0, record.url.find_first_of("?#"));
    for (int times = 0; times < most_times; ++times)
    {
        auto next = decoded_once(path);
        if (next == path)
            return {};
        path = std::move(next);
        if (const auto fault = fault_of(path); !fault.empty())
            return refuse(fault);
        if (has_dot_segment(path)) // a decoded ? or # ends no path
            return refuse("has no segment . or .. in its path");
    }
    return refuse("is not percent-encoded again and again");
}

} // namespace marquee
