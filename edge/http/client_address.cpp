#include "edge/http/client_address.hpp"

#include "edge/http/http.hpp"
#include "schemas/parse_number.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace marquee
{

namespace
{

constexpr std::array<std::uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<unsigned> read_number(std::string_view text, unsigned highest)
{
    const auto number = parse_number<unsigned>(text);
    return number && *number <= highest ? number : std::nullopt;
}

std::optional<client_address> read_bare(std::string_view text)
{
    boost::system::error_code wrong;
    const auto address = boost::asio::ip::make_address(std::string(text), wrong);
    if (wrong || text.find('%') != std::string_view::npos)
        return std::nullopt;
    return client_address(address);
}

} // namespace

client_address::client_address(const boost::asio::ip::address& from)
{
    if (from.is_v6())
    {
        raw_ = from.to_v6().to_bytes();
        return;
    }
    std::copy(v4_prefix.begin(), v4_prefix.end(), raw_.begin());
    const auto four = from.to_v4().to_bytes();
    std::copy(four.begin(), four.end(), raw_.begin() + v4_prefix.size());
}

std::optional<client_address> client_address::parse(std::string_view text)
{
    const bool bracketed = text.starts_with('[');
    const auto colon = bracketed ? text.find(']') + 1 : text.find(':');
    if (bracketed && colon == 0)
        return std::nullopt;
    const bool port = bracketed ? colon < text.size() : text.find('.') < colon && colon != std::string_view::npos;
    if (port && (text[colon] != ':' || !read_number(text.substr(colon + 1), 65535)))
        return std::nullopt;
    if (port)
        text = text.substr(0, colon);
    if (!bracketed)
        return read_bare(text);
    auto inside = read_bare(text.substr(1, text.size() - 2));
    return inside && text.find(':') != std::string_view::npos ? inside : std::nullopt;
}

std::string client_address::text() const
{
    const auto whole = boost::asio::ip::make_address_v6(raw_);
    return is_v4() ? boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, whole).to_string()
                   : whole.to_string();
}

bool client_address::is_v4() const noexcept { return std::equal(v4_prefix.begin(), v4_prefix.end(), raw_.begin()); }

client_address client_address::counted() const noexcept
{
    auto kept = *this;
    if (!is_v4())
        std::fill(kept.raw_.begin() + 8, kept.raw_.end(), std::uint8_t(0));
    return kept;
}

result<void> network_list::add(std::string_view text)
{
    const auto slash = text.find('/');
    const auto base = read_bare(text.substr(0, slash));
    if (!base)
        return fail(errc::bad_request, "a network is an address, or an address and a prefix length: 10.0.0.0/8");
    const unsigned longest = text.substr(0, slash).find(':') == std::string_view::npos ? 32 : 128;
    const auto bits = slash == std::string_view::npos ? longest : read_number(text.substr(slash + 1), longest);
    if (!bits || (base->is_v4() && longest == 128 && *bits < 96))
        return fail(errc::bad_request, "a prefix length is 0 to 32 for IPv4, 0 to 128 for IPv6");
    all_.push_back({*base, *bits + 128 - longest});
    return {};
}

bool network_list::contains(const client_address& address) const noexcept
{
    return std::any_of(all_.begin(), all_.end(),
                       [&](const network& each)
                       {
                           const auto& a = address.raw();
                           const auto& b = each.base.raw();
                           const auto whole = each.bits / 8;
                           const auto rest = 8 - each.bits % 8;
                           return address.is_v4() == each.base.is_v4() &&
                                  std::equal(a.begin(), a.begin() + whole, b.begin()) &&
                                  (rest == 8 || a[whole] >> rest == b[whole] >> rest);
                       });
}

client_address client_of(const client_address& peer, const http_fields& fields, const network_list& trusted)
{
    if (!trusted.contains(peer))
        return peer;
    const auto all = fields.joined("X-Forwarded-For").value_or("");
    auto hops = list_elements(all);
    auto client = peer;
    while (!hops.empty() && trusted.contains(client))
    {
        const auto hop = client_address::parse(hops.back());
        hops.pop_back();
        if (!hop)
            break;
        client = *hop;
    }
    return client;
}

} // namespace marquee
