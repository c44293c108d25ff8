#include "broker/requester.hpp"

#include "schemas/messages.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>
#include <utility>

namespace marquee
{

struct pending_reply::state
{
    /// The suspended receiver, its handler type erased.
    struct waiter
    {
        virtual ~waiter() = default;
        virtual void resume(asio::any_io_executor& on, result<message> with) = 0;
    };

    template <class Handler>
    struct waiter_of final : waiter
    {
        explicit waiter_of(Handler h) : handler(std::move(h)) {}
        void resume(asio::any_io_executor& on, result<message> with) override
        {
            asio::post(on, [h = std::move(handler), o = std::move(with)]() mutable { std::move(h)(std::move(o)); });
        }
        Handler handler;
    };

    explicit state(asio::any_io_executor e) : executor(std::move(e)) {}

    asio::any_io_executor executor;
    std::optional<result<message>> outcome;
    std::unique_ptr<waiter> waiting;
    bool settled = false;
};

pending_reply::pending_reply(asio::any_io_executor executor) : state_(std::make_shared<state>(std::move(executor))) {}

void pending_reply::settle(result<message> outcome) const
{
    if (std::exchange(state_->settled, true))
        return;
    if (auto waiting = std::move(state_->waiting))
        waiting->resume(state_->executor, std::move(outcome));
    else
        state_->outcome = std::move(outcome);
}

bool pending_reply::settled() const noexcept { return state_->settled; }

asio::awaitable<result<message>> pending_reply::receive() const
{
    auto shared = state_; // the coroutine's own: the pending_reply may go away while it waits
    if (shared->outcome)
        co_return std::move(*shared->outcome);

    // Named, not a temporary inside co_await: g++ 12.2 destroys those twice.
    auto suspend = [raw = shared.get()](auto handler)
    { raw->waiting = std::make_unique<state::waiter_of<decltype(handler)>>(std::move(handler)); };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(result<message>)>(suspend, asio::use_awaitable);
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
