#include "broker/nats/delivery.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace marquee
{

namespace
{

template <class Number>
bool read_number(std::string_view text, Number& out)
{
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
    return ec == std::errc() && end == text.data() + text.size();
}

bool is_status(std::string_view text)
{
    return text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_of_flow_control(std::string_view subject)
{
    constexpr std::string_view prefix = "$JS.FC.";
    return subject.starts_with(prefix) && subject.size() > prefix.size() &&
           subject.find_first_of("*>") == std::string_view::npos;
}

} // namespace

std::optional<delivery> parse_delivery(std::string_view reply)
{
    std::array<std::string_view, 13> tokens;
    std::size_t count = 0;
    while (count < tokens.size())
    {
        const auto dot = reply.find('.');
        tokens[count++] = reply.substr(0, dot);
        if (dot == std::string_view::npos)
            break;
        reply.remove_prefix(dot + 1);
    }
    if (count < 9 || tokens[0] != "$JS" || tokens[1] != "ACK")
        return std::nullopt;
    const std::size_t first = count == 9 ? 5 : 7; // of the stream sequence
    delivery out;
    if (first + 3 >= count || !read_number(tokens[first], out.stream_sequence) ||
        !read_number(tokens[first + 1], out.consumer_sequence) || !read_number(tokens[first + 2], out.timestamp) ||
        !read_number(tokens[first + 3], out.pending))
        return std::nullopt;
    return out;
}

std::optional<control_message> parse_control(const message& msg, std::string_view deliver_subject)
{
    const auto status = msg.headers.get("Status");
    if (msg.subject != deliver_subject || !msg.data.empty() || !is_status(status))
        return std::nullopt;
    control_message out;
    read_number(status, out.status);
    out.description = msg.headers.get("Description");
    const auto stalled = msg.headers.get("Nats-Consumer-Stalled"); // in a heartbeat; a request has a reply subject
    for (const std::string_view named : {stalled, std::string_view(msg.reply)})
        if (!named.empty() && !is_of_flow_control(named))
            return std::nullopt;
    out.go_on = stalled.empty() ? std::string_view(msg.reply) : stalled;
    std::uint64_t last = 0;
    if (read_number(msg.headers.get("Nats-Last-Consumer"), last))
        out.last_consumer_sequence = last;
    return out;
}

} // namespace marquee
