#include "broker/nats/server_list.hpp"

#include "schemas/parse_number.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace marquee::detail
{

namespace json = boost::json;

namespace
{

constexpr std::size_t max_discovered = 256; // INFO is not authenticated

bool is_port(std::string_view text)
{
    const auto port = parse_number<std::uint16_t>(text);
    return port && *port >= 1;
}

/// HOST or HOST:PORT, an IPv6 address in brackets.
bool is_host_and_port(std::string_view text)
{
    const bool bracketed = text.starts_with('[');
    const auto colon = text.find(':', bracketed ? text.find(']') : 0);
    const auto host = text.substr(0, colon);
    const auto is_odd = [](unsigned char c) { return c <= ' ' || c == 0x7f || c == '/' || c == '@'; };
    if (host.empty() || bracketed != host.ends_with(']') || host == "[]" ||
        std::any_of(text.begin(), text.end(), is_odd))
        return false;
    return colon == std::string_view::npos || is_port(text.substr(colon + 1));
}

std::string_view host_of(std::string_view host_port)
{
    return host_port.substr(0, host_port.find(':', host_port.starts_with('[') ? host_port.find(']') : 0));
}

/// For certificates: a name does not consist of digits and dots only.
bool is_address(std::string_view host)
{
    return host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<std::string> percent_decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        unsigned char byte = static_cast<unsigned char>(text[i]);
        if (text[i] == '%')
        {
            const auto digits = text.substr(i + 1, 2);
            const auto* end = digits.data() + digits.size();
            if (digits.size() < 2 || std::from_chars(digits.data(), end, byte, 16).ptr != end || byte == 0)
                return std::nullopt;
            i += 2;
        }
        out += static_cast<char>(byte);
    }
    return out;
}

error bad_server(std::string why) { return fail(errc::bad_request, std::move(why), "--server"); }

/// `token`, or `user:password`.
result<void> read_user_info(server_address& to, std::string_view text)
{
    const auto colon = text.find(':');
    const auto first = percent_decoded(text.substr(0, colon));
    const auto second = percent_decoded(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
    if (!first || !second)
        return bad_server(
            "user and password in a URL are percent-encoded: a % stands before two hex digits other than 00, and "
            "for itself as %25");
    if (first->empty())
        return bad_server("a URL with an @ has user:password or a token before it");
    (colon == std::string_view::npos ? to.token : to.user) = *first;
    to.password = *second;
    return {};
}

/// Host names are compared without case.
bool is_same(std::string_view a, std::string_view b)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_among(const std::vector<std::string>& all, std::string_view host_port)
{
    return std::any_of(all.begin(), all.end(), [&](const auto& each) { return is_same(each, host_port); });
}

} // namespace

result<server_address> parse_server(std::string_view url)
{
    constexpr const char* form = "a server is nats://HOST:PORT or tls://HOST:PORT";
    if (const auto scheme_end = url.find("://"); scheme_end != std::string_view::npos)
    {
        const auto scheme = url.substr(0, scheme_end);
        if (scheme != "nats" && scheme != "tls")
            return bad_server(form);
        url.remove_prefix(scheme_end + 3);
    }
    if (url.find_first_of(" \t\r\n/") != std::string_view::npos)
        return bad_server(form);
    server_address read;
    const auto at = url.rfind('@');
    const auto host_port = at == std::string_view::npos ? url : url.substr(at + 1);
    if (!is_host_and_port(host_port))
        return bad_server(form);
    read.host_port = host_port;
    if (at != std::string_view::npos)
        if (const auto taken = read_user_info(read, url.substr(0, at)); taken.has_error())
            return taken.error();
    return read;
}

server_info parse_info(std::string_view line)
{
    server_info out;
    const auto brace = line.find('{');
    if (!line.starts_with("INFO") || brace == std::string_view::npos)
        return out;
    line = line.substr(brace, line.find_last_not_of(" \r\n") + 1 - brace);
    boost::system::error_code ec;
    const auto parsed = json::parse(line, ec);
    if (ec || !parsed.is_object())
        return out;
    const auto& info = parsed.as_object();
    out.known = true;
    if (const auto* value = info.if_contains("version"); value != nullptr && value->is_string())
        out.version = std::string_view(value->as_string()).substr(0, 64);
    if (const auto* value = info.if_contains("jetstream"); value != nullptr && value->is_bool())
        out.jetstream = value->as_bool();
    out.clustered = info.contains("cluster");
    const auto* urls = info.if_contains("connect_urls");
    if (urls == nullptr || !urls->is_array())
        return out;
    for (const auto& each : urls->as_array())
        if (each.is_string() && is_host_and_port(std::string_view(each.as_string())))
            out.connect_urls.emplace_back(each.as_string());
    return out;
}

server_list::server_list(const std::vector<std::string>& urls)
{
    for (const auto& url : urls)
        if (auto read = parse_server(url); read.has_value())
        {
            given_.push_back(read->host_port);
            servers_.push_back(std::move(*read));
        }
    std::shuffle(servers_.begin(), servers_.end(), rng_);
}

/// A member gets the user info of the server that named it, and if it is named by address, the same
/// name in its certificate.
std::vector<server_address> server_list::add(const server_address& from, const std::vector<std::string>& host_ports)
{
    std::vector<server_address> fresh;
    for (const auto& host_port : host_ports)
    {
        const auto known = [&](const server_address& each) { return is_same(each.host_port, host_port); };
        if (servers_.size() + fresh.size() >= given_.size() + max_discovered || !is_host_and_port(host_port) ||
            std::any_of(servers_.begin(), servers_.end(), known) || std::any_of(fresh.begin(), fresh.end(), known))
            continue;
        auto member = from;
        member.host_port = host_port;
        const auto host = host_of(from.host_port);
        if (!is_address(host_of(host_port)))
            member.tls_name.clear();
        else if (member.tls_name.empty() && !is_address(host))
            member.tls_name = host;
        fresh.push_back(std::move(member));
    }
    std::shuffle(fresh.begin(), fresh.end(), rng_);
    servers_.insert(servers_.end(), fresh.begin(), fresh.end());
    return fresh;
}

void server_list::replace(const server_address& from, const std::vector<std::string>& host_ports)
{
    if (host_ports.empty())
        return; // not clustered, or without advertising
    std::erase_if(servers_,
                  [&](const server_address& each)
                  {
                      return !is_among(given_, each.host_port) && !is_among(host_ports, each.host_port) &&
                             !is_same(each.host_port, from.host_port);
                  });
    (void)add(from, host_ports);
}

void server_list::move_to_end(const server_address& which)
{
    std::stable_partition(servers_.begin(), servers_.end(),
                          [&](const server_address& each) { return !is_same(each.host_port, which.host_port); });
}

} // namespace marquee::detail
