// An HTTP/1.1 client for tests: one keep-alive connection, with a time limit, which can also send
// invalid requests.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee::test
{

using http_headers = std::vector<std::pair<std::string, std::string>>;

struct http_call
{
    std::string method = "GET";
    std::string target = "/"; ///< put on the wire as it is
    http_headers headers = {};
    std::string body = {};
};

struct http_answer
{
    int status = 0;
    http_headers headers;
    std::string body;

    [[nodiscard]] std::string header(std::string_view name) const; ///< any case; empty when absent
    [[nodiscard]] boost::json::value json() const;                 ///< throws when the body is not JSON
    [[nodiscard]] std::string
    text(std::string_view member) const; ///< a string of the body's object; empty when there is none
    [[nodiscard]] std::int64_t number(std::string_view member) const; ///< throws when there is none
};

/// One connection to 127.0.0.1:`port`, opened by the first send and again after the server has
/// closed it. One send at a time.
class http_client
{
public:
    http_client(boost::asio::io_context& io, int port);
    ~http_client();
    http_client(const http_client&) = delete;
    http_client& operator=(const http_client&) = delete;

    /// Throws boost::system::system_error when there is no connection, no whole answer, or none
    /// within `limit`. Nothing is sent twice.
    boost::asio::awaitable<http_answer> send(http_call call,
                                             std::chrono::milliseconds limit = std::chrono::seconds(20));

private:
    struct transport;
    boost::asio::io_context& io_;
    int port_;
    std::unique_ptr<transport> open_;
};

/// A call on a connection of its own, for a test's main thread.
[[nodiscard]] http_answer http(int port, const http_call& call,
                               std::chrono::milliseconds limit = std::chrono::seconds(20));

} // namespace marquee::test
