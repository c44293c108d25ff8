#include "tests/bench/nats_client.hpp"

#include "broker/jetstream/publish.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <stdexcept>

namespace marquee::bench
{

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace
{

[[noreturn]] void fail(const std::string& what, const error& why)
{
    throw std::runtime_error(what + ": " + std::string(name_of(why.code)) + ' ' + why.detail);
}

asio::awaitable<std::string> request_until_answered(requester& nats, subject to)
{
    const auto until = deadline::in(10s);
    for (;;)
    {
        const auto pending = call_service(nats, to, {}, {}, until);
        auto reply = co_await pending.receive();
        if (reply.has_value())
            co_return std::move(reply->data);
        if (!(reply.error() == errc::no_responders) || until.passed())
            fail(to.str(), reply.error());
    }
}

asio::awaitable<void> send_requests(requester& nats, const std::function<const nats_request*()>& next, answers& all)
{
    while (const auto* one = next())
    {
        const auto sent = clock::now();
        const auto pending = call_service(nats, one->to, one->payload, {}, deadline::in(10s));
        const auto reply = co_await pending.receive();
        if (reply.has_error() || reply->data.empty())
            ++all.wrong;
        all.microseconds.push_back(std::chrono::duration<float, std::micro>(clock::now() - sent).count());
    }
}

/// One message of each portion is acknowledged: the stream has all earlier ones then.
asio::awaitable<void> publish_all(connection& nats, std::size_t count,
                                  const std::function<nats_request(std::size_t)>& message)
{
    constexpr std::size_t portion = 1000;
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < count; ++i)
    {
        auto one = message(i);
        if (i % portion + 1 < portion && i + 1 < count)
        {
            if (const auto sent = nats.publish(one.to.str(), one.payload); sent.has_error())
                fail("a message was not sent", sent.error());
            continue;
        }
        const auto stored =
            co_await publish_stored(nats.requests(), one.to, std::move(one.payload), std::string(), deadline::in(30s));
        if (stored.has_error())
            fail("a message was not stored", stored.error());
        if (last != 0 && stored->sequence != last + i % portion + 1)
            throw std::runtime_error("the stream has lost messages");
        last = stored->sequence;
    }
}

} // namespace

nats_client::nats_client(const std::string& url)
{
    connection_options options;
    options.name = "marquee-bench";
    options.servers = {url};
    auto opened = connection::open(io_, options);
    if (opened.has_error())
        fail("no connection to the broker", opened.error());
    nats_ = std::move(*opened);
}

nats_client::~nats_client() = default;

void nats_client::run(asio::awaitable<void> work)
{
    bool done = false;
    std::exception_ptr failure;
    asio::co_spawn(io_, std::move(work),
                   [&](std::exception_ptr e)
                   {
                       done = true;
                       failure = std::move(e);
                   });
    run_until(done, 600s);
    if (failure)
        std::rethrow_exception(failure);
}

void nats_client::run_until(const bool& done, std::chrono::seconds limit)
{
    const auto end = clock::now() + limit;
    io_.restart();
    while (!done)
        if (io_.run_one_until(end) == 0)
            throw std::runtime_error("this took longer than " + std::to_string(limit.count()) + " s");
}

answers nats_client::request_all(int in_flight, const std::function<const nats_request*()>& next)
{
    answers all;
    all.microseconds.reserve(1 << 20);
    int left = in_flight;
    bool done = false;
    const auto began = clock::now();
    for (int i = 0; i < in_flight; ++i)
        asio::co_spawn(io_, send_requests(nats_->requests(), next, all),
                       [&](const std::exception_ptr&) { done = --left == 0; });
    run_until(done, 600s);
    all.seconds = std::chrono::duration<double>(clock::now() - began).count();
    return all;
}

std::string nats_client::request_once(subject to)
{
    std::string data;
    auto work = [&]() -> asio::awaitable<void> { data = co_await request_until_answered(nats_->requests(), to); };
    run(work());
    return data;
}

void nats_client::fill(std::size_t count, const std::function<nats_request(std::size_t)>& message)
{
    run(publish_all(*nats_, count, message));
}

} // namespace marquee::bench
