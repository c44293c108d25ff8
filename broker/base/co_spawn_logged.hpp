// Starts coroutines that are not awaited, and logs what they throw.
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

/// Logs an error with the name of the task and the text of the exception. Any thread.
void log_exception(std::string_view task, const std::exception_ptr& thrown) noexcept;

/// As boost::asio::co_spawn, but logs an exception of `work`. Calls `on_end(bool threw)` on the
/// executor when `work` has ended. `task` must be a literal; it appears in the log.
template <class OnEnd>
void co_spawn_logged(std::string_view task, const asio::any_io_executor& on, asio::awaitable<void> work, OnEnd on_end)
{
    asio::co_spawn(on, std::move(work),
                   [task, end = std::move(on_end)](const std::exception_ptr& thrown) mutable
                   {
                       if (thrown)
                           log_exception(task, thrown);
                       end(thrown != nullptr);
                   });
}

inline void co_spawn_logged(std::string_view task, const asio::any_io_executor& on, asio::awaitable<void> work)
{
    co_spawn_logged(task, on, std::move(work), [](bool) {});
}

} // namespace marquee
