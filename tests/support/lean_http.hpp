// A keep-alive HTTP/1.1 connection for load: requests are prepared bytes, and answers are parsed
// only as far as checks need.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <string>

namespace marquee::test
{

struct lean_answer
{
    int status = 0;
    std::string head; ///< status line and fields, as they came
    std::string body;
};

/// How an exchange ended.
enum class exchange
{
    refused, ///< no connection: nothing was sent
    broken,  ///< the connection ended before the whole answer
    silent,  ///< no whole answer in time
    answered,
};

/// One request at a time. The owner calls enforce() regularly, on the io thread.
class lean_http
{
public:
    using clock = std::chrono::steady_clock;

    explicit lean_http(boost::asio::io_context& io) : socket_(io) {}

    /// Sends `request` to 127.0.0.1:`port`, on the open connection where it is one to that port.
    /// Nothing is sent twice.
    boost::asio::awaitable<exchange> send(int port, std::string request, lean_answer& answer, clock::time_point until);

    /// Ends an exchange whose deadline has passed.
    void enforce(clock::time_point now);

private:
    boost::asio::awaitable<bool> connect(int port);
    boost::asio::awaitable<bool> read(lean_answer& answer);
    boost::asio::awaitable<bool> read_until(std::size_t size);
    void close();

    boost::asio::ip::tcp::socket socket_;
    int port_ = 0; ///< of the open connection
    std::string buffer_;
    clock::time_point until_ = clock::time_point::max();
    bool expired_ = false;
};

} // namespace marquee::test
