#include "tests/support/http_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>

#include <exception>
#include <stdexcept>

namespace marquee::test
{

namespace asio = boost::asio;
namespace beast = boost::beast;

std::string http_answer::header(std::string_view name) const
{
    for (const auto& [field, value] : headers)
        if (beast::iequals(field, name))
            return value;
    return {};
}

boost::json::value http_answer::json() const { return boost::json::parse(body); }

std::string http_answer::text(std::string_view member) const
{
    const auto all = json();
    const auto* value = all.as_object().if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::int64_t http_answer::number(std::string_view member) const { return json().as_object().at(member).as_int64(); }

struct http_client::transport
{
    explicit transport(asio::io_context& io) : stream(io) {}
    beast::tcp_stream stream;
    beast::flat_buffer buffer;
};

http_client::http_client(asio::io_context& io, int port) : io_(io), port_(port) {}
http_client::~http_client() = default;

asio::awaitable<http_answer> http_client::send(http_call call, std::chrono::milliseconds limit)
{
    using request_type = beast::http::request<beast::http::string_body>;
    auto link = std::move(open_); // kept only after a whole answer
    if (!link)
    {
        link = std::make_unique<transport>(io_);
        link->stream.expires_after(limit);
        const asio::ip::tcp::endpoint edge(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port_));
        co_await link->stream.async_connect(edge, asio::use_awaitable);
    }
    link->stream.expires_after(limit);

    request_type request;
    request.method_string(call.method);
    request.target(call.target);
    request.version(11);
    request.set(beast::http::field::host, "127.0.0.1:" + std::to_string(port_));
    for (const auto& [name, value] : call.headers)
        request.insert(name, value);
    request.body() = std::move(call.body);
    if (!request.body().empty())
        request.content_length(request.body().size());
    co_await beast::http::async_write(link->stream, request, asio::use_awaitable);

    beast::http::response_parser<beast::http::string_body> parser;
    parser.skip(call.method == "HEAD");
    parser.body_limit(64U << 20U);
    co_await beast::http::async_read(link->stream, link->buffer, parser, asio::use_awaitable);

    auto& response = parser.get();
    http_answer answer;
    answer.status = static_cast<int>(response.result_int());
    for (const auto& field : response)
        answer.headers.emplace_back(field.name_string(), field.value());
    answer.body = std::move(response.body());
    if (response.keep_alive())
        open_ = std::move(link);
    co_return answer;
}

http_answer http(int port, const http_call& call, std::chrono::milliseconds limit)
{
    asio::io_context io(1);
    http_client client(io, port);
    http_answer answer;
    std::exception_ptr failure;
    auto body = [&]() -> asio::awaitable<void> { answer = co_await client.send(call, limit); };
    asio::co_spawn(io, body, [&](std::exception_ptr e) { failure = e; });
    io.run();
    if (failure)
        std::rethrow_exception(failure);
    return answer;
}

} // namespace marquee::test
