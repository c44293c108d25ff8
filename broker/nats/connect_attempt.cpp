#include "broker/nats/connect_attempt.hpp"

#include "broker/nats/nats_options.hpp"

#include <openssl/crypto.h>

#include <thread>
#include <utility>

namespace marquee::detail
{

namespace
{

/// The threads of all attempts of this process. Never destroyed: they may outlive main().
struct running_threads
{
    std::mutex mutex;
    std::condition_variable changed;
    int count = 0;
};

running_threads& all_threads()
{
    static auto* all = new running_threads; // NOLINT(cppcoreguidelines-owning-memory)
    return *all;
}

void count_thread(int change)
{
    auto& all = all_threads();
    const std::lock_guard lock(all.mutex);
    all.count += change;
    all.changed.notify_all();
}

} // namespace

connect_attempt::connect_attempt(std::shared_ptr<event_loop> loop, server_address server)
    : loop_(std::move(loop)), server_(std::move(server))
{
}

void connect_attempt::start(connection_options options, std::function<void()> on_end)
{
    on_end_ = std::move(on_end);
    count_thread(+1);
    auto work = [self = shared_from_this(), how = std::move(options)]() mutable
    {
        self->run(how);
        self->end();
        self.reset();
        nats_ReleaseThreadMemory();
        OPENSSL_thread_stop(); // the end of the process may come before this thread's, and would leak it
        count_thread(-1);
    };
    std::thread(std::move(work)).detach();
}

void connect_attempt::run(const connection_options& options)
{
    const auto made = make_nats_options(options, server_); // each time: credentials are rotated
    if (made.has_error())
    {
        failure_ = made.error().detail;
        return;
    }
    const connect_interceptor::scope intercepting(interceptor_);
    status_ = loop_->install(made->get());
    if (status_ == NATS_OK)
        status_ = natsConnection_Connect(&nc_, made->get());
    if (status_ != NATS_OK)
        failure_ = nats_error_text();
}

void connect_attempt::end()
{
    std::unique_lock lock(mutex_);
    ended_ = true;
    ended_changed_.notify_all();
    if (abandoned_)
    {
        lock.unlock();
        dispose();
    }
    else if (on_end_)
        std::exchange(on_end_, nullptr)();
}

bool connect_attempt::wait(std::chrono::milliseconds limit)
{
    std::unique_lock lock(mutex_);
    return ended_changed_.wait_for(lock, limit, [this] { return ended_; });
}

void connect_attempt::abandon()
{
    loop_->shut();
    {
        const std::lock_guard lock(mutex_);
        abandoned_ = true;
        on_end_ = nullptr;
        if (!ended_)
        {
            interceptor_.abort();
            return;
        }
    }
    dispose();
}

/// With the loop shut: closes the connection that nobody took.
void connect_attempt::dispose()
{
    if (auto* nc = take_connection(); nc != nullptr)
    {
        natsConnection_Close(nc);
        natsConnection_Destroy(nc);
    }
    else if (status_ != NATS_OK)
        loop_->start(nullptr, false); // releases the loop
}

std::string connect_attempt::failure() const
{
    if (auto first = interceptor_.failure(); !first.empty())
        return first;
    if (failure_.find("got ''") != std::string::npos)
        return "the server closed the connection without a word";
    if (const auto none = failure_.find("(null)"); none != std::string::npos) // OpenSSL has no text for a reset
        return failure_.substr(0, none) + "the server closed the connection";
    if (status_ == NATS_OK)
        return "the connection was lost at once";
    if (status_ == NATS_NO_SERVER && !interceptor_.resolved())
        return "its name cannot be resolved";
    if (status_ == NATS_SECURE_CONNECTION_WANTED)
        return "the server offers no TLS";
    if (failure_.empty() && status_ == NATS_TIMEOUT)
        return "it cannot be reached";
    return failure_.empty() ? natsStatus_GetText(status_) : failure_;
}

bool connect_attempt::wait_for_all(std::chrono::milliseconds limit)
{
    auto& all = all_threads();
    std::unique_lock lock(all.mutex);
    return all.changed.wait_for(lock, limit, [&] { return all.count == 0; });
}

} // namespace marquee::detail
