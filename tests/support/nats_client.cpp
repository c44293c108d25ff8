#include "tests/support/nats_client.hpp"

#include "schemas/messages.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <stdexcept>
#include <utility>

namespace marquee::test
{

using namespace std::chrono_literals;

nats_client::nats_client(const std::string& url)
{
    connection_options options;
    options.name = "test";
    options.servers = {url};
    options.reconnect_wait = 20ms;
    options.reconnect_jitter = 10ms;
    options.ping_interval = 10min; // the loop does not run between two calls, so pings would not be answered
    auto opened = connection::open(io_, options);
    if (opened.has_error())
        throw std::runtime_error(opened.error().detail);
    nats_ = std::move(*opened);
}

void nats_client::run_until(const std::function<bool()>& done, const std::string& what, milliseconds limit)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done())
    {
        io_.restart();
        if (io_.run_one_until(end) == 0 && std::chrono::steady_clock::now() >= end)
            throw std::runtime_error("not within " + std::to_string(limit.count()) + " ms: " + what);
    }
}

void nats_client::flush()
{
    bool ended = false;
    bool flushed = false;
    auto body = [&]() -> asio::awaitable<void>
    {
        auto flushing = nats_->flush(deadline::in(patience));
        flushed = co_await std::move(flushing);
    };
    asio::co_spawn(io_, body, [&](const std::exception_ptr&) { ended = true; });
    run_until([&] { return ended; }, "a flush", patience + 1s);
    if (!flushed)
        throw std::runtime_error("the broker does not answer");
}

message nats_client::request(const std::string& subject, const std::string& payload, const header_list& headers,
                             milliseconds limit)
{
    std::vector<message> replies;
    const auto inbox = nats_->new_inbox();
    const auto listening = nats_->subscribe(inbox, {}, [&](message m) { replies.push_back(std::move(m)); }).value();
    nats_->publish(subject, payload, headers, inbox).value();
    run_until([&] { return !replies.empty(); }, "a reply on " + subject, limit);
    return std::move(replies.front());
}

std::vector<message> nats_client::ask_all(const std::string& subject, std::size_t count, milliseconds limit)
{
    std::vector<message> replies;
    const auto inbox = nats_->new_inbox();
    const auto listening = nats_->subscribe(inbox, {}, [&](message m) { replies.push_back(std::move(m)); }).value();
    nats_->publish(subject, {}, {}, inbox).value();
    run_until([&] { return replies.size() >= count; }, std::to_string(count) + " replies on " + subject, limit);
    flush();
    return replies;
}

std::uint64_t nats_client::store(const std::string& subject, const std::string& payload)
{
    const auto ack = decode<pub_ack>(request(subject, payload).data).value();
    if (ack.seq.value_or(0) == 0)
        throw std::runtime_error(
            subject + " was not stored: " + ack.error.value_or(js_api_error{}).description.value_or("no sequence"));
    return *ack.seq;
}

void nats_client::publish(const std::string& subject, const std::string& payload)
{
    nats_->publish(subject, payload).value();
    flush();
}

void nats_client::wait_until_present(const std::string& service, bool present)
{
    const auto end = std::chrono::steady_clock::now() + patience;
    const auto ping = subject::of({"$SRV", "PING", service});
    for (;;)
    {
        std::optional<result<message>> outcome;
        auto body = [&]() -> asio::awaitable<void>
        {
            auto pending = nats_->requests().request(ping, {}, {}, deadline::in(1s));
            outcome = co_await pending.receive();
        };
        asio::co_spawn(io_, body, [](const std::exception_ptr&) {});
        run_until([&] { return outcome.has_value(); }, "the outcome of a ping", patience);
        if (present ? outcome->has_value() : outcome->has_error() && outcome->error() == errc::no_responders)
            return;
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error(service + (present ? " does not come" : " does not go"));
    }
}

void nats_client::wait_until_connected()
{
    run_until([&] { return nats_->connected(); }, "a link to the broker", patience);
}

std::shared_ptr<subscription> nats_client::listen(const std::string& pattern, std::function<void(const message&)> seen)
{
    auto listening = nats_->subscribe(pattern, {}, std::move(seen)).value();
    flush();
    return listening;
}

std::shared_ptr<subscription> nats_client::fake_until_dropped(const std::string& pattern, std::string reply,
                                                              header_list headers)
{
    auto answer = [this, reply = std::move(reply), headers = std::move(headers)](const message& m)
    { (void)nats_->publish(m.reply, reply, headers); };
    auto faking = nats_->subscribe(pattern, "q", answer).value();
    flush(); // also tells the broker of one that was dropped before
    return faking;
}

void nats_client::fake(const std::string& pattern, std::string reply, header_list headers)
{
    fakes_.push_back(fake_until_dropped(pattern, std::move(reply), std::move(headers)));
}

void nats_client::end_fakes()
{
    fakes_.clear();
    flush();
}

std::vector<http_answer> nats_client::call_all(int port, const std::vector<http_call>& calls, milliseconds limit)
{
    std::vector<http_answer> answers(calls.size());
    std::size_t ended = 0;
    std::exception_ptr failure;
    auto one = [this, port, &calls, &answers, limit](std::size_t i) -> asio::awaitable<void>
    {
        http_client client(io_, port);
        auto sending = client.send(calls[i], limit);
        answers[i] = co_await std::move(sending);
    };
    for (std::size_t i = 0; i < calls.size(); ++i)
        asio::co_spawn(io_, one(i),
                       [&](const std::exception_ptr& e)
                       {
                           ++ended;
                           failure = e ? e : failure;
                       });
    run_until([&] { return ended == calls.size(); }, "HTTP answers", limit + 10s);
    if (failure)
        std::rethrow_exception(failure);
    return answers;
}

http_answer nats_client::call(int port, const http_call& what, milliseconds limit)
{
    return call_all(port, {what}, limit).front();
}

} // namespace marquee::test
