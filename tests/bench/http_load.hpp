// An HTTP client for load: one thread, many keep-alive connections, one request in flight on each,
// every answer checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace marquee::bench
{

struct http_load
{
    int port = 0;
    int connections = 64;
    std::chrono::duration<double> time{5};
    std::function<void(std::string&)> append_request; ///< appends the next request, whole
};

struct http_outcome
{
    std::uint64_t sent = 0;  ///< and all answered, those after the time too
    std::uint64_t wrong = 0; ///< not 200, or a play without its counts
    std::string first_wrong; ///< answer
    double rate = 0;         ///< answers a second, within the time
    std::vector<float> microseconds;
};

/// Runs in the calling thread. Throws std::runtime_error where a connection fails or an answer is
/// no HTTP.
[[nodiscard]] http_outcome run_http_load(const http_load& load);

/// One blocking connection to 127.0.0.1:`port`.
class http_connection
{
public:
    explicit http_connection(int port);
    http_connection(http_connection&& other) noexcept;
    ~http_connection();

    void send(const std::string& request) const;

    /// Reads once. The whole answer when it is there, else empty; valid until the next call.
    [[nodiscard]] std::string_view receive();

    [[nodiscard]] int descriptor() const noexcept { return fd_; }

private:
    int fd_ = -1;
    std::string in_;
    std::size_t taken_ = 0; ///< bytes of in_ that were an answer
};

[[nodiscard]] bool is_wrong(std::string_view answer);

} // namespace marquee::bench
