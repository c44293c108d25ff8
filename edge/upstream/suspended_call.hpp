// Coroutines of one io thread that wait for a result they share a message with.
#pragma once

#include "broker/base/deadline.hpp"
#include "schemas/error.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list.hpp>

#include <optional>
#include <utility>

namespace marquee
{

namespace asio = boost::asio;

/// A coroutine that waits in wait_in() for a result<T>. It is in one list until it ends, and is
/// reached through that list only. Its handler owns the coroutine, and so this
/// object.
template <class T>
struct suspended_call : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
{
    explicit suspended_call(deadline d) : until(d) {}

    /// Resumes the coroutine, which destroys this object and may end others.
    void end(result<T> how)
    {
        this->unlink();
        auto handler = std::move(*resume);
        std::move(handler)(std::move(how));
    }

    deadline until;
    std::optional<typename asio::async_result<asio::use_awaitable_t<>, void(result<T>)>::handler_type> resume;
};

/// Calls that share a message.
template <class Call>
using suspended_calls = boost::intrusive::list<Call, boost::intrusive::constant_time_size<false>>;

/// Suspends the coroutine until mine.end(). `add` puts `mine`, which is in the coroutine's frame,
/// into a list.
template <class T, class Call, class Add>
[[nodiscard]] asio::awaitable<result<T>> wait_in(Call& mine, Add add)
{
    auto suspend = [&mine, add](auto handler)
    {
        mine.resume.emplace(std::move(handler));
        add(mine);
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(result<T>)>(std::move(suspend),
                                                                                asio::use_awaitable);
}

/// Destroys the coroutines of all, as an io object's end does: through their executor.
template <class Call>
void drop_calls(suspended_calls<Call>& all)
{
    while (!all.empty())
    {
        auto& first = all.front();
        first.unlink();
        const auto handler = std::move(*first.resume);
    }
}

/// Ends those whose deadline has passed.
template <class Call>
void end_late_calls(suspended_calls<Call>& all, deadline::clock::time_point now, const error& how)
{
    for (auto at = all.begin(); at != all.end();)
    {
        if (now < at->until.at())
        {
            ++at;
            continue;
        }
        at->end(how);
        at = all.begin(); // others may be gone too
    }
}

} // namespace marquee
