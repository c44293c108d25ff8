#include "broker/nats/requester.hpp"

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

/// The completion handler of a coroutine in receive().
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
    std::optional<result<message>> outcome; ///< settled before anybody received it
    std::optional<suspended> waiting;
    outcome_handler handler;
    bool settled = false;
};

pending_reply::pending_reply(asio::any_io_executor executor) : state_(std::make_shared<state>(std::move(executor))) {}

void pending_reply::settle(result<message> outcome) const
{
    if (std::exchange(state_->settled, true))
        return;
    if (auto waiting = std::exchange(state_->waiting, std::nullopt))
        resume(state_->executor, std::move(*waiting), std::move(outcome));
    else if (const auto handler = std::exchange(state_->handler, nullptr))
        handler(std::move(outcome));
    else
        state_->outcome = std::move(outcome);
}

bool pending_reply::settled() const noexcept { return state_->settled; }

asio::awaitable<result<message>> pending_reply::receive() const
{
    auto suspend = [shared = state_](suspended waiting) // shared: this object may be destroyed during the wait
    {
        if (shared->outcome)
            resume(shared->executor, std::move(waiting), std::move(*shared->outcome));
        else
            shared->waiting.emplace(std::move(waiting));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(result<message>)>(std::move(suspend),
                                                                                      asio::use_awaitable);
}

void pending_reply::on_settled(outcome_handler handler) const
{
    if (state_->outcome)
        handler(std::move(*state_->outcome));
    else
        state_->handler = std::move(handler);
}

result<message> interpret_reply(message reply)
{
    if (reply.headers_unreadable) // it may be an error reply
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

pending_reply call_service(requester& nats, const subject& to, std::string_view payload, header_list headers,
                           deadline until)
{
    headers.set(names::header_timeout, std::to_string(until.remaining().count()));
    return nats.request(to, payload, headers, until);
}

} // namespace marquee
