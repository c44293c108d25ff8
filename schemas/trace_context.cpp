#include "schemas/trace_context.hpp"

#include "schemas/char_set.hpp"

#include <algorithm>
#include <charconv>
#include <random>
#include <vector>

namespace marquee
{

namespace
{

constexpr std::size_t most_members = 32;
constexpr std::uint64_t numbers = std::uint64_t{1} << 56U;

int digit_of(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Reads lower-case digits; false where there is another character.
template <std::size_t N>
bool read_hex(std::string_view text, std::array<std::uint8_t, N>& into) noexcept
{
    for (std::size_t i = 0; i < N; ++i)
    {
        const int high = digit_of(text[2 * i]);
        const int low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        into[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

template <std::size_t N>
void append_hex(std::string& to, const std::array<std::uint8_t, N>& bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    for (const auto byte : bytes)
        (to += digits[byte >> 4U]) += digits[byte & 15U];
}

template <std::size_t N>
bool is_zero(const std::array<std::uint8_t, N>& bytes) noexcept
{
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t each) { return each == 0; });
}

/// Ids need to be different, not secret. A generator for each thread.
std::uint64_t random_number()
{
    thread_local std::mt19937_64 generator = []
    {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
        return std::mt19937_64(seed);
    }();
    return generator();
}

template <std::size_t N>
void fill(std::array<std::uint8_t, N>& id)
{
    do
        for (std::size_t at = 0; at < N; at += 8)
            for (std::uint64_t number = random_number(), i = 0; i < 8; ++i)
                id[at + i] = static_cast<std::uint8_t>(number >> (8 * i));
    while (is_zero(id));
}

constexpr char_set letters("abcdefghijklmnopqrstuvwxyz");
constexpr char_set letters_and_digits("abcdefghijklmnopqrstuvwxyz0123456789");
constexpr char_set key_characters("abcdefghijklmnopqrstuvwxyz0123456789_-*/");

/// `key` or `tenant@system`.
bool is_state_key(std::string_view key) noexcept
{
    const auto at = key.find('@');
    if (at == std::string_view::npos)
        return !key.empty() && key.size() <= 256 && letters.contains(key.front()) && key_characters.covers(key);
    const auto tenant = key.substr(0, at);
    const auto system = key.substr(at + 1);
    return !tenant.empty() && tenant.size() <= 241 && letters_and_digits.contains(tenant.front()) &&
           key_characters.covers(tenant) && !system.empty() && system.size() <= 14 &&
           letters.contains(system.front()) && key_characters.covers(system);
}

/// Printable ASCII without comma and equals sign, not ending with a blank.
bool is_state_value(std::string_view value) noexcept
{
    return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
           std::all_of(value.begin(), value.end(),
                       [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

std::string_view without_blanks(std::string_view text) noexcept
{
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

} // namespace

std::string parse_tracestate(std::string_view text)
{
    std::string state;
    std::vector<std::string_view> keys;
    for (bool more = !text.empty(); more;)
    {
        const auto comma = text.find(',');
        const auto member = without_blanks(text.substr(0, comma));
        more = comma != std::string_view::npos;
        text.remove_prefix(more ? comma + 1 : text.size());
        if (member.empty())
            continue;
        const auto equals = member.find('=');
        const auto key = member.substr(0, equals);
        if (equals == std::string_view::npos || !is_state_key(key) || !is_state_value(member.substr(equals + 1)) ||
            keys.size() == most_members || std::find(keys.begin(), keys.end(), key) != keys.end() ||
            state.size() + (state.empty() ? 0 : 1) + member.size() > max_tracestate_bytes)
            return {};
        keys.push_back(key);
        (state += state.empty() ? "" : ",") += member;
    }
    return state;
}

std::optional<trace_context> parse_traceparent(std::string_view parent, std::string_view state)
{
    if (parent.size() < traceparent_bytes || parent[2] != '-' || parent[35] != '-' || parent[52] != '-')
        return std::nullopt;
    std::array<std::uint8_t, 1> version{};
    std::array<std::uint8_t, 1> flags{};
    trace_context read;
    if (!read_hex(parent.substr(0, 2), version) || !read_hex(parent.substr(3, 32), read.trace_id) ||
        !read_hex(parent.substr(36, 16), read.span_id) || !read_hex(parent.substr(53, 2), flags))
        return std::nullopt;
    const bool longer = parent.size() > traceparent_bytes;
    if (version[0] == 0xff || (longer && (version[0] == 0 || parent[traceparent_bytes] != '-')))
        return std::nullopt;
    if (is_zero(read.trace_id) || is_zero(read.span_id))
        return std::nullopt;
    read.sampled = (flags[0] & 1U) != 0;
    read.state = parse_tracestate(state);
    return read;
}

std::string format_traceparent(const trace_context& of)
{
    std::string text = "00-";
    text.reserve(traceparent_bytes);
    append_hex(text, of.trace_id);
    text += '-';
    append_hex(text, of.span_id);
    text += of.sampled ? "-01" : "-00";
    return text;
}

std::string trace_id_text(const trace_context& of)
{
    std::string text;
    append_hex(text, of.trace_id);
    return text;
}

std::string span_id_text(const trace_context& of)
{
    std::string text;
    append_hex(text, of.span_id);
    return text;
}

trace_context child_of(const trace_context& parent)
{
    auto child = parent;
    fill(child.span_id);
    return child;
}

trace_context make_trace()
{
    trace_context root;
    fill(root.trace_id);
    fill(root.span_id);
    return root;
}

trace_ratio::trace_ratio(double share) noexcept
    : bound_(share >= 1 ? numbers : static_cast<std::uint64_t>(std::max(share, 0.0) * static_cast<double>(numbers)))
{
}

std::optional<trace_ratio> trace_ratio::parse(std::string_view text) noexcept
{
    double share = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, failed] = std::from_chars(text.data(), end, share, std::chars_format::fixed);
    if (failed != std::errc() || stopped != end || !(share >= 0 && share <= 1))
        return std::nullopt;
    return trace_ratio(share);
}

bool trace_ratio::samples(const trace_context& of) const noexcept
{
    std::uint64_t number = 0;
    for (std::size_t i = 9; i < of.trace_id.size(); ++i)
        number = number << 8U | of.trace_id[i];
    return number < bound_;
}

bool trace_ratio::samples_foreign() const { return bound_ > 0 && random_number() % numbers < bound_; }

} // namespace marquee
