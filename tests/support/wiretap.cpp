#include "tests/support/wiretap.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <future>
#include <stdexcept>

namespace marquee::test
{

namespace
{

constexpr int most_waiting = 1 << 20;

asio::awaitable<bool> flushed(connection& nats)
{
    const auto until = deadline::in(std::chrono::seconds(20));
    auto flushing = nats.flush(until);
    co_return co_await std::move(flushing);
}

} // namespace

wiretap::wiretap(const std::string& url)
{
    connection_options how;
    how.name = "wiretap";
    how.servers = {url};
    auto opened = connection::open(io_, how);
    if (opened.has_error())
        throw std::runtime_error("no wiretap: " + opened.error().detail);
    nats_ = std::move(*opened);
    auto listening = nats_->subscribe(
        ">", {},
        [this](message msg)
        {
            std::lock_guard lock(mutex_);
            seen_.push_back(std::move(msg));
            more_.notify_all();
        },
        most_waiting);
    if (listening.has_error())
        throw std::runtime_error("no wiretap: " + listening.error().detail);
    all_ = std::move(*listening);
    loop_ = std::thread(
        [this]
        {
            const auto busy = asio::make_work_guard(io_);
            io_.run();
        });
    auto listens = asio::co_spawn(io_, flushed(*nats_), asio::use_future); // then the server has the subscription
    if (!listens.get())
        throw std::runtime_error("no wiretap: the server does not answer");
}

wiretap::~wiretap()
{
    on_loop(
        [this]
        {
            all_.reset();
            nats_.reset();
        });
    io_.stop();
    loop_.join();
}

void wiretap::on_loop(const std::function<void()>& work)
{
    std::promise<void> done;
    asio::post(io_,
               [&]
               {
                   work();
                   done.set_value();
               });
    done.get_future().wait();
}

std::vector<message> wiretap::seen(std::size_t from) const
{
    std::lock_guard lock(mutex_);
    return {seen_.begin() + static_cast<std::ptrdiff_t>(std::min(from, seen_.size())), seen_.end()};
}

std::size_t wiretap::count() const
{
    std::lock_guard lock(mutex_);
    return seen_.size();
}

std::optional<message> wiretap::wait_for(const std::function<bool(const message&)>& wanted, std::size_t from,
                                         std::chrono::milliseconds limit) const
{
    const auto end = std::chrono::steady_clock::now() + limit;
    std::unique_lock lock(mutex_);
    for (;;)
    {
        for (; from < seen_.size(); ++from)
            if (wanted(seen_[from]))
                return seen_[from];
        if (more_.wait_until(lock, end) == std::cv_status::timeout && from == seen_.size())
            return std::nullopt;
    }
}

bool wiretap::publish(const std::string& to, const std::string& payload, const header_list& headers,
                      const std::string& reply)
{
    bool sent = false;
    on_loop([&] { sent = nats_->publish(to, payload, headers, reply).has_value(); });
    return sent;
}

std::optional<message> wiretap::request(const std::string& to, const std::string& payload, const header_list& headers,
                                        std::chrono::milliseconds limit)
{
    const auto reply = new_reply();
    const auto from = count();
    if (!publish(to, payload, headers, reply))
        return std::nullopt;
    return wait_for([&](const message& msg) { return msg.subject == reply; }, from, limit);
}

std::string wiretap::new_reply() { return reply_prefix + std::to_string(++replies_); }

std::uint64_t wiretap::lost()
{
    std::uint64_t dropped = 0;
    on_loop([&] { dropped = nats_->stats().dropped_messages; });
    return dropped;
}

} // namespace marquee::test
