#include "tools/catalogue/asking.hpp"

#include "broker/base/wait.hpp"

#include <algorithm>
#include <utility>

namespace marquee::catalogue_files
{
namespace
{

using namespace std::chrono_literals;

constexpr auto first_pause = 50ms;
constexpr auto longest_pause = 1s;

} // namespace

bool is_transient(errc code) noexcept
{
    switch (code)
    {
    case errc::no_responders:
    case errc::disconnected:
    case errc::overloaded:
    case errc::stopping:
    case errc::unavailable:
    case errc::timeout:
    case errc::outcome_unknown:
        return true;
    default:
        return false;
    }
}

std::string text_of(const error& why)
{
    const auto title = std::string(title_of(why.code));
    return why.detail.empty() ? title : title + ": " + why.detail;
}

asio::awaitable<result<message>> ask(connection& nats, subject to, std::string payload,
                                     std::chrono::milliseconds patience)
{
    const auto until = deadline::in(patience);
    asio::steady_timer timer(nats.context());
    auto pause = std::chrono::milliseconds(first_pause);
    for (;;)
    {
        const auto pending =
            call_service(nats.requests(), to, payload, {}, until.sooner(deadline::in(request_timeout)));
        auto receiving = pending.receive();
        auto reply = co_await std::move(receiving);
        if (reply.has_value() || !is_transient(reply.error().code) || until.passed())
        {
            if (reply.has_error())
                reply = fail(reply.error().code, to.str() + ": " + text_of(reply.error()));
            co_return reply;
        }
        auto waiting = wait(timer, deadline::in(pause).sooner(until));
        co_await std::move(waiting);
        pause = std::min(2 * pause, std::chrono::milliseconds(longest_pause));
    }
}

} // namespace marquee::catalogue_files
