// The address that a request comes from: of the connection, or as a trusted proxy reports it.
#pragma once

#include "schemas/error.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio::ip
{
class address;
}

namespace marquee
{

class http_fields;

/// An IPv4 or IPv6 address. An IPv4-mapped one (::ffff:a.b.c.d) equals the IPv4 address. A value:
/// thread-safe as an int is.
class client_address
{
public:
    using bytes = std::array<std::uint8_t, 16>;

    client_address() = default; ///< `::`
    explicit client_address(const boost::asio::ip::address& from);

    /// Reads the forms that proxies write: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
    /// `[2001:db8::1]`, `[2001:db8::1]:80`. Nothing where `text` is none of them.
    [[nodiscard]] static std::optional<client_address> parse(std::string_view text);

    /// What limits per address count by: an IPv4 address whole, of an IPv6 address the first 64
    /// bits, which one subscriber has.
    [[nodiscard]] client_address counted() const noexcept;

    /// `192.0.2.1` or `2001:db8::1`.
    [[nodiscard]] std::string text() const;

    [[nodiscard]] bool is_v4() const noexcept;
    [[nodiscard]] const bytes& raw() const noexcept { return raw_; } ///< IPv4 as ::ffff:a.b.c.d
    friend bool operator==(const client_address&, const client_address&) = default;

private:
    bytes raw_{};
};

/// A set of networks in CIDR notation. Safe to read from several threads.
class network_list
{
public:
    /// Adds `10.0.0.0/8`, `2001:db8::/32` or a single address. Fails with bad_request; the detail
    /// continues the name of an option.
    [[nodiscard]] result<void> add(std::string_view text);

    [[nodiscard]] bool contains(const client_address& address) const noexcept;
    [[nodiscard]] bool empty() const noexcept { return all_.empty(); }

private:
    struct network
    {
        client_address base;
        unsigned bits; ///< of 128
    };
    std::vector<network> all_;
};

/// The client of a request that came from `peer`. X-Forwarded-For is read only where `peer` is in
/// `trusted`: from the right, the first address that is not trusted is the client. Where all are
/// trusted it is the leftmost one; reading stops at an element that is not an address.
[[nodiscard]] client_address client_of(const client_address& peer, const http_fields& fields,
                                       const network_list& trusted);

} // namespace marquee
