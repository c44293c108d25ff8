#include "broker/telemetry/exporter_settings.hpp"

#include "broker/base/watched_file.hpp"
#include "schemas/char_set.hpp"

#include <algorithm>
#include <memory>

#include <curl/curl.h>

namespace marquee
{

namespace
{

struct free_url
{
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct free_text
{
    void operator()(char* text) const noexcept { curl_free(text); }
};

/// A part of the URL; empty where it has none.
std::string part_of(CURLU* url, CURLUPart which)
{
    char* text = nullptr;
    if (curl_url_get(url, which, &text, 0) != CURLUE_OK)
        return {};
    const std::unique_ptr<char, free_text> owned(text);
    return text;
}

constexpr std::string_view own_headers[] = {
    "connection", "content-encoding", "content-length",    "content-type", "expect",    "host",
    "te",         "trailer",          "transfer-encoding", "upgrade",      "user-agent"};

std::string lower(std::string_view text)
{
    std::string made(text);
    for (auto& c : made)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return made;
}

} // namespace

result<std::string> traces_url(std::string_view endpoint)
{
    constexpr std::string_view path_of_traces = "/v1/traces";
    const std::string text(endpoint);
    const std::unique_ptr<CURLU, free_url> url(curl_url());
    const bool is_text = !text.empty() && text.size() <= 2048 && char_set::range(0x21, 0x7e).covers(text);
    if (!url || !is_text || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
        return fail(errc::bad_request, "a URL such as http://127.0.0.1:4318");
    const auto scheme = part_of(url.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
        return fail(errc::bad_request, "the scheme is http or https");
    for (const auto part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT})
        if (!part_of(url.get(), part).empty())
            return fail(errc::bad_request, "a URL without user, query and fragment");
    auto path = part_of(url.get(), CURLUPART_PATH);
    if (!path.ends_with(path_of_traces))
    {
        while (path.ends_with('/'))
            path.pop_back();
        path += path_of_traces;
        if (curl_url_set(url.get(), CURLUPART_PATH, path.c_str(), 0) != CURLUE_OK)
            return fail(errc::bad_request, "a URL such as http://127.0.0.1:4318");
    }
    return part_of(url.get(), CURLUPART_URL);
}

result<export_headers> parse_export_headers(std::string_view text)
{
    static constexpr char_set token("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    constexpr std::size_t most = 32;
    export_headers read;
    for (std::size_t number = 1; !text.empty(); ++number)
    {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trim_lines(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#')
            continue;
        const auto wrong = [&](const char* what)
        { return fail(errc::bad_request, "line " + std::to_string(number) + ' ' + what); };
        const auto equals = line.find('=');
        const auto name = trim_lines(line.substr(0, equals));
        if (equals == std::string_view::npos || name.empty() || !token.covers(name))
            return wrong("is not NAME=VALUE");
        const auto value = trim_lines(line.substr(equals + 1));
        if (!char_set::range(0x20, 0x7e).covers(value))
            return wrong("has a value that is not printable ASCII");
        if (std::find(std::begin(own_headers), std::end(own_headers), lower(name)) != std::end(own_headers))
            return wrong("names a header that the exporter sends itself");
        if (read.size() == most)
            return wrong("is one too many: there may be 32 headers");
        read.emplace_back(name, value);
    }
    return read;
}

} // namespace marquee
