// Starts coroutines that nobody awaits: what one of them throws is logged, whoever started it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <string_view>
#include <utility>

namespace marquee
{

namespace asio = boost::asio;

/// Writes an error line with the name of the task and what the exception says.
void log_exception(std::string_view task, const std::exception_ptr& thrown) noexcept;

/// Runs `work` on the executor and calls `on_end(bool threw)` there when it has ended, by an exception or not. `task` is a literal, for the log.
template <class OnEnd>
void spawn(std::string_view task, const asio::any_io_executor& on, asio::awaitable<void> work, OnEnd on_end)
{
    asio::co_spawn(on, std::move(work),
                   [task, end = std::move(on_end)](const std::exception_ptr& thrown) mutable
                   {
                       if (thrown)
                           log_exception(task, thrown);
                       end(thrown != nullptr);
                   });
}

inline void spawn(std::string_view task, const asio::any_io_executor& on, asio::awaitable<void> work)
{
    spawn(task, on, std::move(work), [](bool) {});
}

} // namespace marquee
