#include "broker/jetstream/jetstream_api.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace marquee
{

namespace json = boost::json;

namespace
{

constexpr std::uint64_t error_without_code = 1;

js_reply reply_of(json::object body)
{
    js_reply out;
    if (const auto* failure = object_in(body, "error"))
    {
        out.err_code = std::max(number_in(*failure, "err_code"), error_without_code);
        out.description = text_in(*failure, "description");
    }
    out.body = std::move(body);
    return out;
}

} // namespace

asio::awaitable<result<js_reply>> call_jetstream(requester& nats, subject to, std::string payload, deadline until)
{
    const header_list none;
    auto pending = nats.request(to, payload, none, until);
    auto reply = co_await pending.receive();
    if (reply.has_error())
        co_return reply.error();
    boost::system::error_code ec;
    auto parsed = json::parse(reply->data, ec);
    if (ec || !parsed.is_object())
        co_return fail(errc::malformed_reply, "JetStream answered no JSON object");
    co_return reply_of(std::move(parsed.as_object()));
}

std::uint64_t number_in(const json::object& in, std::string_view name)
{
    const auto* value = in.if_contains(name);
    if (value == nullptr || value->is_double())
        return 0;
    boost::system::error_code ec;
    const auto number = value->to_number<std::uint64_t>(ec);
    return ec ? 0 : number;
}

std::string text_in(const json::object& in, std::string_view name)
{
    const auto* value = in.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::object* object_in(const json::object& in, std::string_view name)
{
    const auto* value = in.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

} // namespace marquee
