#include "tests/support/lean_http.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace marquee::test
{

namespace asio = boost::asio;
using boost::system::error_code;

namespace
{

bool matches(std::string_view line, std::string_view lower_case)
{
    return line.size() >= lower_case.size() &&
           std::equal(lower_case.begin(), lower_case.end(), line.begin(),
                      [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

/// The value of a field; empty where there is none.
std::string_view field(std::string_view head, std::string_view lower_case_name)
{
    for (std::size_t eol = head.find("\r\n"); eol != std::string_view::npos; eol = head.find("\r\n"))
    {
        head.remove_prefix(eol + 2);
        if (!matches(head, lower_case_name) || head.substr(lower_case_name.size(), 1) != ":")
            continue;
        auto value = head.substr(lower_case_name.size() + 1);
        value = value.substr(0, value.find("\r\n"));
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        return value;
    }
    return {};
}

std::optional<std::size_t> number(std::string_view text)
{
    std::size_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

} // namespace

asio::awaitable<exchange> lean_http::send(int port, std::string request, lean_answer& answer, clock::time_point until)
{
    until_ = until;
    expired_ = false;
    if (port_ != port && !co_await connect(port))
    {
        until_ = clock::time_point::max();
        co_return expired_ ? exchange::silent : exchange::refused;
    }
    error_code failed;
    const auto bytes = asio::buffer(request);
    co_await asio::async_write(socket_, bytes, asio::redirect_error(asio::use_awaitable, failed));
    const bool whole = !failed && co_await read(answer);
    until_ = clock::time_point::max();
    if (whole)
        co_return exchange::answered;
    close();
    co_return expired_ ? exchange::silent : exchange::broken;
}

void lean_http::enforce(clock::time_point now)
{
    if (now < until_)
        return;
    expired_ = true;
    close();
}

asio::awaitable<bool> lean_http::connect(int port)
{
    close();
    const asio::ip::tcp::endpoint edge(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port));
    error_code failed;
    co_await socket_.async_connect(edge, asio::redirect_error(asio::use_awaitable, failed));
    if (failed)
    {
        close();
        co_return false;
    }
    socket_.set_option(asio::ip::tcp::no_delay(true), failed);
    port_ = port;
    co_return true;
}

asio::awaitable<bool> lean_http::read_until(std::size_t size)
{
    error_code failed;
    while (!failed && buffer_.size() < size)
    {
        char chunk[4096];
        const auto space = asio::buffer(chunk);
        const auto got = co_await socket_.async_read_some(space, asio::redirect_error(asio::use_awaitable, failed));
        buffer_.append(chunk, got);
    }
    co_return !failed;
}

asio::awaitable<bool> lean_http::read(lean_answer& answer)
{
    std::size_t end = std::string::npos;
    while (end == std::string::npos)
    {
        if (!co_await read_until(buffer_.size() + 1))
            co_return false;
        end = buffer_.find("\r\n\r\n");
    }
    answer.head = buffer_.substr(0, end + 2);
    const auto length = number(field(answer.head, "content-length"));
    const auto status = number(std::string_view(answer.head).substr(std::min<std::size_t>(9, answer.head.size()), 3));
    if (!length || !status || !co_await read_until(end + 4 + *length))
        co_return false;
    answer.status = static_cast<int>(*status);
    answer.body = buffer_.substr(end + 4, *length);
    buffer_.erase(0, end + 4 + *length);
    if (matches(field(answer.head, "connection"), "close"))
        close();
    co_return true;
}

void lean_http::close()
{
    error_code ignored;
    socket_.close(ignored);
    port_ = 0;
    buffer_.clear();
}

} // namespace marquee::test
