// Load over NATS: requests pipelined through the requester that the edge uses, and streams filled
// fast.
#pragma once

#include "broker/nats/connection.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marquee::bench
{

struct nats_request
{
    subject to;
    std::string payload;
};

struct answers
{
    std::uint64_t wrong = 0; ///< errors, or without a body
    double seconds = 0;
    std::vector<float> microseconds;

    [[nodiscard]] double rate() const { return static_cast<double>(microseconds.size()) / seconds; }
};

/// A connection of its own, whose loop runs only within calls. Throws std::runtime_error.
class nats_client
{
public:
    explicit nats_client(const std::string& url);
    ~nats_client();

    [[nodiscard]] connection& nats() noexcept { return *nats_; }
    [[nodiscard]] asio::io_context& io() noexcept { return io_; }

    /// Runs the loop until the coroutine has ended.
    void run(asio::awaitable<void> work);

    /// Runs the loop until `done`; throws after `limit`.
    void run_until(const bool& done, std::chrono::seconds limit);

    /// Keeps `in_flight` requests in flight until `next` returns null. Its result stays valid until
    /// the next call.
    [[nodiscard]] answers request_all(int in_flight, const std::function<const nats_request*()>& next);

    /// Requests, again while there are no responders.
    [[nodiscard]] std::string request_once(subject to);

    /// Publishes `count` messages into a stream and returns when it has them all.
    void fill(std::size_t count, const std::function<nats_request(std::size_t)>& message);

private:
    asio::io_context io_{1};
    std::unique_ptr<connection> nats_;
};

} // namespace marquee::bench
