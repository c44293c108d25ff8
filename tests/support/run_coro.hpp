// Runs a coroutine as a test case: its own io_context, a time limit, exceptions rethrown.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/assert/source_location.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <functional>

namespace marquee::test
{

/// Runs `body` to its end on `io`, at most `limit`; fails the test, naming the caller's line, when
/// it takes longer.
inline void run_coro(boost::asio::io_context& io, std::function<boost::asio::awaitable<void>()> body,
                     std::chrono::milliseconds limit = std::chrono::seconds(30),
                     const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    bool done = false;
    std::exception_ptr failure;
    boost::asio::co_spawn(io, body,
                          [&](std::exception_ptr e)
                          {
                              done = true;
                              failure = e;
                              io.stop();
                          });
    io.restart();
    io.run_for(limit);
    if (failure)
        std::rethrow_exception(failure);
    if (!done)
        BOOST_FAIL("coroutine started at " << where.file_name() << ":" << where.line() << " did not end in "
                                           << limit.count() << " ms");
}

inline void run_coro(std::function<boost::asio::awaitable<void>()> body,
                     std::chrono::milliseconds limit = std::chrono::seconds(30),
                     const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    boost::asio::io_context io(1);
    run_coro(io, std::move(body), limit, where);
}

/// Runs `io` in steps until `done()`; fails the test when that takes longer than `limit`.
inline void run_until(boost::asio::io_context& io, const std::function<bool()>& done,
                      std::chrono::milliseconds limit = std::chrono::seconds(20))
{
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done() && std::chrono::steady_clock::now() < end)
    {
        io.restart();
        io.run_for(std::chrono::milliseconds(1));
    }
    BOOST_REQUIRE(done());
}

} // namespace marquee::test
