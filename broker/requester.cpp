#include "broker/requester.hpp"

#include "schemas/messages.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>
#include <utility>

namespace marquee
{

namespace
{

/// A coroutine that waits for a reply.
using suspended = asio::async_result<asio::use_awaitable_t<>, void(result<message>)>::handler_type;

void resume(const asio::any_io_executor& on, suspended waiting, result<message> with)
{
    asio::post(on, [w = std::move(waiting), r = std::move(with)]() mutable { std::move(w)(std::move(r)); });
}

} // namespace

struct pending_reply::state
{
    explicit state(asio::any_io_executor e) : executor(std::move(e)) {}

    asio::any_io_executor executor;
    std::optional<result<message>> outcome; ///< which nobody has waited for yet
    std::optional<suspended> waiting;
    bool settled = false;
};

pending_reply::pending_reply(asio::any_io_executor executor) : state_(std::make_shared<state>(std::move(executor))) {}

void pending_reply::settle(result<message> outcome) const
{
    if (std::exchange(state_->settled, true))
        return;
    if (auto waiting = std::exchange(state_->waiting, std::nullopt))
        resume(state_->executor, std::move(*waiting), std::move(outcome));
    else
        state_->outcome = std::move(outcome);
}

bool pending_reply::settled() const noexcept { return state_->settled; }

asio::awaitable<result<message>> pending_reply::receive() const
{
    auto suspend = [shared = state_](suspended waiting) // a share of its own: the pending_reply may go away while it waits
    {
        if (shared->outcome)
            resume(shared->executor, std::move(waiting), std::move(*shared->outcome));
        else
            shared->waiting.emplace(std::move(waiting));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(result<message>)>(std::move(suspend), asio::use_awaitable);
}

result<message> interpret_reply(message reply)
{
    if (reply.headers_unreadable) // perhaps they said that it is a failure
        return fail(errc::malformed_reply, "the reply's headers cannot be read");
    if (reply.headers.empty())
        return reply;
    if (reply.headers.get("Status") == "503" && reply.data.empty())
        return fail(errc::no_responders);
    auto number = reply.headers.get(names::header_service_error_code);
    if (number.empty())
        return reply;
    auto text = reply.headers.get(names::header_service_error);
    auto failure = fail(errc_from_service(text, number));
    if (auto body = decode<error_reply>(reply.data))
    {
        failure.detail = body->detail.value_or("");
        failure.field = body->field.value_or("");
    }
    return failure;
}

pending_reply call_service(requester& nats, const subject& to, std::string_view payload, header_list headers, deadline until)
{
    headers.set(names::header_timeout, std::to_string(until.remaining().count()));
    return nats.request(to, payload, headers, until);
}

} // namespace marquee
