#include "broker/stream_lookup.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace marquee
{

namespace json = boost::json;

namespace
{

constexpr std::uint64_t err_no_message = 10037;

std::uint64_t number_in(const json::object& in, std::string_view name)
{
    const auto* value = in.if_contains(name);
    if (value == nullptr || value->is_double())
        return 0;
    boost::system::error_code ec;
    const auto number = value->to_number<std::uint64_t>(ec);
    return ec ? 0 : number;
}

const json::object* object_in(const json::object& in, std::string_view name)
{
    const auto* value = in.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

asio::awaitable<result<json::object>> ask(requester& nats, subject to, json::object question, deadline until)
{
    const auto payload = json::serialize(question);
    const header_list none;
    auto pending = nats.request(to, payload, none, until);
    auto reply = co_await pending.receive();
    if (reply.has_error())
        co_return reply.error();
    boost::system::error_code ec;
    auto parsed = json::parse(reply->data, ec);
    if (ec || !parsed.is_object())
        co_return fail(errc::malformed_reply, "JetStream answered no JSON object");
    co_return std::move(parsed.as_object());
}

/// Reads `count` digits from the front.
std::optional<int> take_digits(std::string_view& from, std::size_t count) noexcept
{
    int number = 0;
    const auto digits = from.substr(0, count);
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.size() != count || ec != std::errc() || end != digits.data() + count || digits.front() == '-')
        return std::nullopt;
    from.remove_prefix(count);
    return number;
}

/// Removes `c` from the front.
bool take(std::string_view& from, char c) noexcept
{
    if (from.empty() || from.front() != c)
        return false;
    from.remove_prefix(1);
    return true;
}

std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& from) noexcept
{
    std::int64_t nanoseconds = 0;
    std::size_t digits = 0;
    for (; !from.empty() && from.front() >= '0' && from.front() <= '9'; from.remove_prefix(1), ++digits)
        nanoseconds = digits < 9 ? nanoseconds * 10 + (from.front() - '0') : nanoseconds;
    if (digits == 0 || digits > 9)
        return std::nullopt;
    for (; digits < 9; ++digits)
        nanoseconds *= 10;
    return std::chrono::nanoseconds(nanoseconds);
}

} // namespace

std::optional<std::chrono::nanoseconds> parse_server_time(std::string_view text) noexcept
{
    using namespace std::chrono;
    constexpr std::pair<std::size_t, char> parts[] = {{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, 0}};
    int numbers[std::size(parts)] = {};
    for (std::size_t i = 0; i < std::size(parts); ++i)
    {
        const auto number = take_digits(text, parts[i].first);
        if (!number || (parts[i].second != 0 && !take(text, parts[i].second)))
            return std::nullopt;
        numbers[i] = *number;
    }
    nanoseconds fraction{0};
    if (take(text, '.'))
    {
        const auto read = take_fraction(text);
        if (!read)
            return std::nullopt;
        fraction = *read;
    }
    const auto day = year(numbers[0]) / numbers[1] / numbers[2];
    if (text != "Z" || !day.ok() || numbers[3] > 23 || numbers[4] > 59 || numbers[5] > 59)
        return std::nullopt;
    return sys_days(day).time_since_epoch() + hours(numbers[3]) + minutes(numbers[4]) + seconds(numbers[5]) + fraction;
}

asio::awaitable<result<std::optional<stream_position>>> find_last(requester& nats, std::string stream, std::string on_subject,
                                                                  deadline until)
{
    auto to = subject::of({"$JS", "API", "STREAM", "MSG", "GET", stream});
    json::object question{{"last_by_subj", std::move(on_subject)}};
    auto asking = ask(nats, std::move(to), std::move(question), until);
    const auto reply = co_await std::move(asking);
    if (reply.has_error())
        co_return reply.error();
    if (const auto* failure = object_in(*reply, "error"))
    {
        if (number_in(*failure, "err_code") == err_no_message)
            co_return std::optional<stream_position>();
        co_return fail(errc::unavailable, json::serialize(*failure));
    }
    const auto* found = object_in(*reply, "message");
    const auto* time = found == nullptr ? nullptr : found->if_contains("time");
    const auto stored = time != nullptr && time->is_string() ? parse_server_time(time->get_string()) : std::nullopt;
    if (!stored || number_in(*found, "seq") == 0)
        co_return fail(errc::malformed_reply, "JetStream answered a message without its sequence and time");
    co_return std::optional<stream_position>({number_in(*found, "seq"), *stored});
}

asio::awaitable<result<stream_subjects>> find_subjects(requester& nats, std::string stream, deadline until)
{
    auto to = subject::of({"$JS", "API", "STREAM", "INFO", stream});
    json::object question{{"subjects_filter", ">"}};
    auto asking = ask(nats, std::move(to), std::move(question), until);
    const auto reply = co_await std::move(asking);
    if (reply.has_error())
        co_return reply.error();
    if (const auto* failure = object_in(*reply, "error"))
        co_return fail(errc::unavailable, json::serialize(*failure));
    const auto* state = object_in(*reply, "state");
    if (state == nullptr)
        co_return fail(errc::malformed_reply, "JetStream answered a stream without its state");
    stream_subjects out;
    out.last_sequence = number_in(*state, "last_seq");
    if (const auto* subjects = object_in(*state, "subjects"))
        for (const auto& [name, messages] : *subjects)
            out.subjects.emplace_back(name);
    out.whole = out.subjects.size() == number_in(*state, "num_subjects");
    co_return out;
}

} // namespace marquee
