// Load over NATS: questions pipelined through the same requester the edge uses, and streams filled fast.
#pragma once

#include "broker/connection.hpp"

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

struct question
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

/// A connection of its own, for as long as it is used: nobody looks after it between calls. Failures are std::runtime_error.
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

    /// Asks with `in_flight` questions under way, until `next` answers null. What it points to lives until the next call.
    [[nodiscard]] answers ask(int in_flight, const std::function<const question*()>& next);

    /// Asks, again while nobody is there to answer.
    [[nodiscard]] std::string ask_once(subject to);

    /// Publishes `count` messages into a stream and returns when it has them all.
    void fill(std::size_t count, const std::function<question(std::size_t)>& message);

private:
    asio::io_context io_{1};
    std::unique_ptr<connection> nats_;
};

} // namespace marquee::bench
