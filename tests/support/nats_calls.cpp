#include "tests/support/nats_calls.hpp"

#include "broker/nats/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <vector>

namespace marquee::test
{

namespace
{

std::vector<std::string> split(const std::string& list)
{
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= list.size();)
    {
        const auto end = std::min(list.find(',', from), list.size());
        parts.push_back(list.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

} // namespace

result<boost::json::value> nats_call(const std::string& servers, const subject& to, const std::string& payload,
                                     std::chrono::milliseconds limit)
{
    asio::io_context io(1);
    connection_options options;
    options.name = "test";
    options.servers = split(servers);
    auto nats = connection::open(io, options);
    if (nats.has_error())
        return nats.error();
    result<message> reply = fail(errc::timeout);
    auto body = [&]() -> asio::awaitable<void>
    {
        const header_list none;
        auto pending = (*nats)->requests().request(to, payload, none, deadline::in(limit));
        reply = co_await pending.receive();
        co_await (*nats)->close(deadline::in(std::chrono::seconds(1)));
    };
    bool ended = false;
    asio::co_spawn(io, body,
                   [&](const std::exception_ptr&)
                   {
                       ended = true;
                       io.stop();
                   });
    io.run_for(limit + std::chrono::seconds(5));
    if (!ended || reply.has_error())
        return ended ? reply.error() : fail(errc::timeout);
    boost::system::error_code ec;
    auto value = boost::json::parse(reply->data, ec);
    if (ec)
        return fail(errc::malformed_reply, "no JSON: " + reply->data);
    return value;
}

} // namespace marquee::test
