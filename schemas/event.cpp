#include "schemas/event.hpp"

#include "schemas/char_set.hpp"
#include "schemas/messages.hpp"
#include "schemas/subjects.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

namespace marquee
{

namespace
{

using namespace std::chrono;

std::array<unsigned char, 32> sha256(std::string_view text)
{
    std::array<unsigned char, 32> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 || size != digest.size())
        throw std::runtime_error("SHA-256 is not available");
    return digest;
}

template <std::size_t N>
std::string base32_lower(const std::array<unsigned char, N>& bytes)
{
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    std::string out;
    std::uint32_t window = 0;
    int bits = 0;
    for (const auto b : bytes)
    {
        window = (window << 8) | b;
        for (bits += 8; bits >= 5;)
            out += alphabet[(window >> (bits -= 5)) & 31];
    }
    if (bits > 0)
        out += alphabet[(window << (5 - bits)) & 31];
    return out;
}

/// From the system's generator, asked for many at a time: asking costs a microsecond whatever the size.
std::array<unsigned char, 16> random_bytes()
{
    thread_local std::array<unsigned char, 64 * 16> stock;
    thread_local std::size_t used = stock.size();
    if (used == stock.size())
    {
        if (RAND_bytes(stock.data(), static_cast<int>(stock.size())) != 1)
            throw std::runtime_error("no random bytes");
        used = 0;
    }
    std::array<unsigned char, 16> taken{};
    std::copy_n(stock.begin() + static_cast<std::ptrdiff_t>(used), taken.size(), taken.begin());
    used += taken.size();
    return taken;
}

bool digits_at(std::string_view text, std::size_t from, std::size_t count, int& value)
{
    value = 0;
    for (std::size_t i = from; i < from + count; ++i)
    {
        if (i >= text.size() || text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    return true;
}

void put_digits(std::string& text, std::size_t at, std::size_t count, unsigned value)
{
    for (auto i = at + count; i-- > at; value /= 10)
        text[i] = static_cast<char>('0' + value % 10);
}

/// `asset:user`, split at the last colon.
result<play_event> parse_text(std::string_view payload)
{
    const auto colon = payload.rfind(':');
    if (colon == std::string_view::npos)
        return fail(errc::bad_request, "neither JSON nor asset:user");
    auto asset = asset_id::parse(payload.substr(0, colon));
    if (asset.has_error())
        return asset.error();
    auto user = user_id::parse(payload.substr(colon + 1));
    if (user.has_error())
        return user.error();
    return play_event{std::nullopt, std::move(*asset), std::move(*user)};
}

} // namespace

bool is_valid_event_id(std::string_view id) noexcept
{
    static constexpr char_set allowed("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
    return !id.empty() && id.size() <= 64 && allowed.covers(id);
}

result<play_event> parse_event(std::string_view payload)
{
    if (payload.empty() || payload.front() != '{')
        return parse_text(payload);
    auto read = decode<play_event_json>(payload);
    if (read.has_error())
        return read.error();
    if (!is_valid_event_id(read->id))
        return fail(errc::bad_request, "an event id is 1 to 64 of [A-Za-z0-9_.-]", "id");
    if (!is_rfc3339_utc(read->time))
        return fail(errc::bad_request, "expected an RFC 3339 time in UTC", "time");
    auto asset = asset_id::parse(read->asset);
    if (asset.has_error())
        return asset.error();
    auto user = user_id::parse(read->user);
    if (user.has_error())
        return user.error();
    return play_event{std::move(read->id), std::move(*asset), std::move(*user)};
}

std::string encode_event(std::string_view event_id, const asset_id& asset, const user_id& user, system_clock::time_point when)
{
    play_event_json event;
    event.id = event_id;
    event.asset = asset.text();
    event.user = user.text();
    event.time = rfc3339(when);
    return encode(event);
}

std::size_t longest_event_bytes()
{
    const std::string id(64, 'x');
    const std::string text(128, '"');
    const auto payload =
        encode_event(id, asset_id::parse(text).value(), user_id::parse(text).value(), system_clock::time_point());
    const auto headers = "NATS/1.0\r\n" + std::string(names::header_msg_id) + ": " + id + "\r\n\r\n";
    return headers.size() + payload.size();
}

std::string make_ulid(system_clock::time_point when)
{
    constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const auto random = random_bytes();
    std::string id(26, '0');
    auto millis = static_cast<std::uint64_t>(duration_cast<milliseconds>(when.time_since_epoch()).count());
    for (std::size_t i = 10; i-- > 0; millis >>= 5)
        id[i] = crockford[millis & 31];
    for (std::size_t i = 0; i < random.size(); ++i)
        id[10 + i] = crockford[random[i] & 31];
    return id;
}

std::string event_id_for_key(const user_id& user, std::string_view key)
{
    std::string both = user.text();
    both += '\0';
    both += key;
    return "k-" + base32_lower(sha256(both));
}

std::string rfc3339(system_clock::time_point when)
{
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss time(floor<milliseconds>(when - day));
    const auto number = [](auto value) { return static_cast<unsigned>(value); };
    std::string text = "0000-00-00T00:00:00.000Z";
    put_digits(text, 0, 4, number(int{date.year()}));
    put_digits(text, 5, 2, number(date.month()));
    put_digits(text, 8, 2, number(date.day()));
    put_digits(text, 11, 2, number(time.hours().count()));
    put_digits(text, 14, 2, number(time.minutes().count()));
    put_digits(text, 17, 2, number(time.seconds().count()));
    put_digits(text, 20, 3, number(time.subseconds().count()));
    return text;
}

bool is_rfc3339_utc(std::string_view text) noexcept
{
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (text.size() < 20 || !digits_at(text, 0, 4, year) || text[4] != '-' || !digits_at(text, 5, 2, month) || text[7] != '-' ||
        !digits_at(text, 8, 2, day) || (text[10] != 'T' && text[10] != 't') || !digits_at(text, 11, 2, hour) || text[13] != ':' ||
        !digits_at(text, 14, 2, minute) || text[16] != ':' || !digits_at(text, 17, 2, second))
        return false;
    if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60)
        return false;
    const auto last =
        year_month_day_last(std::chrono::year(year), month_day_last(std::chrono::month(static_cast<unsigned>(month))));
    if (static_cast<unsigned>(day) > static_cast<unsigned>(last.day()))
        return false;
    text.remove_prefix(19);
    if (text.front() == '.')
    {
        const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
        if (end == 1)
            return false;
        text.remove_prefix(end);
    }
    return text == "Z" || text == "z" || text == "+00:00";
}

} // namespace marquee
