// What the tables of these suites are made of.
#pragma once

#include "tests/support/answers.hpp"
#include "tests/support/shared_system.hpp"

#include <string>
#include <utility>
#include <vector>

namespace marquee::test
{

inline const std::string metadata_body = R"({"title":"Alien","genre":"horror","summary":"In space"})";
inline const std::string url_body = R"({"url":"path/to/alien.mp4"})";

/// `call` with the admin token of `system`, and more header fields.
inline http_call as_admin(const marquee_system& system, http_call call, http_headers more = {})
{
    call.headers.push_back(system.authorization());
    call.headers.insert(call.headers.end(), more.begin(), more.end());
    return call;
}

/// Percent-encodes everything but letters and digits.
inline std::string percent(const std::string& text)
{
    constexpr const char* hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text)
    {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'))
            out += c;
        else
            ((out += '%') += hex[byte >> 4]) += hex[byte & 15];
    }
    return out;
}

/// `text` with every `{}` replaced by `id`.
inline std::string with_id(std::string text, const std::string& id)
{
    for (auto at = text.find("{}"); at != std::string::npos; at = text.find("{}", at + id.size()))
        text.replace(at, 2, id);
    return text;
}

/// A route of contract section 4 that asks a service.
struct service_route
{
    const char* name;
    http_call call;
    const char* service; ///< without it the call cannot be answered
    const char* subject; ///< what that service is asked
    bool change = false; ///< once it was sent, silence leaves open what happened
};

/// Each of them with input that works, in this order, on a seeded system where user 1 has seen
/// asset 123. The admin token goes with all of them: it is needed by some and harmless elsewhere.
inline std::vector<service_route> service_routes(const marquee_system& system)
{
    std::vector<service_route> all = {
        {"play: metadata", {"POST", "/play/asset/123/user/1"}, "metadata", "metadata.get.*"},
        {"play: URL", {"POST", "/play/asset/123/user/1"}, "cdnurl", "cdnurl.get.*"},
        {"get content", {"GET", "/content/asset/123"}, "metadata", "metadata.get.*"},
        {"put content", {"POST", "/content/asset/extra", {}, metadata_body}, "metadata", "metadata.put.*", true},
        {"delete content", {"DELETE", "/content/asset/extra"}, "metadata", "metadata.delete.*", true},
        {"list content", {"GET", "/content/assets"}, "metadata", "metadata.list"},
        {"get url", {"GET", "/url/asset/123"}, "cdnurl", "cdnurl.get.*"},
        {"put url", {"POST", "/url/asset/extra", {}, url_body}, "cdnurl", "cdnurl.put.*", true},
        {"delete url", {"DELETE", "/url/asset/extra"}, "cdnurl", "cdnurl.delete.*", true},
        {"list urls", {"GET", "/url/assets?limit=5"}, "cdnurl", "cdnurl.list"},
        {"asset views", {"GET", "/events/asset/123"}, "reporting", "reporting.asset.*"},
        {"user views", {"GET", "/events/user/1"}, "reporting", "reporting.user.*"},
        {"top", {"GET", "/events/top?limit=5"}, "reporting", "reporting.top"},
        {"series", {"GET", "/events/series"}, "reporting", "reporting.series"},
        {"asset series", {"GET", "/events/asset/123/series"}, "reporting", "reporting.series.*"},
        {"history", {"GET", "/events/user/1/history"}, "reporting", "reporting.history.*"},
        {"all views", {"GET", "/events/assets?limit=5"}, "reporting", "reporting.assets"},
    };
    for (auto& each : all)
        each.call.headers.push_back(system.authorization());
    return all;
}

} // namespace marquee::test
