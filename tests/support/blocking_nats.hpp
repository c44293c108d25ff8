// A blocking NATS client for a test's main thread: JetStream API, publishing, requests to services.
// Each call runs the loop until it is done.
#pragma once

#include "broker/jetstream/streams.hpp"
#include "broker/nats/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

namespace marquee::test
{

class blocking_nats
{
public:
    explicit blocking_nats(const std::string& url)
    {
        connection_options options;
        options.name = "test";
        options.servers = {url};
        options.reconnect_wait = std::chrono::milliseconds(20);
        options.reconnect_jitter = std::chrono::milliseconds(10);
        auto opened = connection::open(io_, options);
        if (opened.has_error())
            throw std::runtime_error("no connection to " + url);
        nats_ = std::move(*opened);
    }

    /// False when `condition` does not hold within `limit`.
    bool until(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(30))
    {
        const auto end = deadline::in(limit);
        while (!condition())
        {
            if (end.passed())
                return false;
            io_.restart();
            io_.run_for(std::chrono::milliseconds(2));
        }
        return true;
    }

    template <class T>
    T wait(asio::awaitable<T> what)
    {
        std::optional<T> out;
        std::exception_ptr failure;
        asio::co_spawn(io_, std::move(what),
                       [&](const std::exception_ptr& e, T value)
                       {
                           failure = e;
                           out.emplace(std::move(value));
                           io_.stop();
                       });
        until([&] { return out.has_value(); }, std::chrono::seconds(60));
        if (failure)
            std::rethrow_exception(failure);
        return std::move(out.value());
    }

    /// Sends now; settle it with wait(….receive()).
    pending_reply send(const subject& to, const std::string& payload, const header_list& headers = {},
                       std::chrono::milliseconds limit = std::chrono::seconds(20))
    {
        return nats_->requests().request(to, payload, headers, deadline::in(limit));
    }

    result<message> request(const subject& to, const std::string& payload = {}, const header_list& headers = {},
                            std::chrono::milliseconds limit = std::chrono::seconds(20))
    {
        return wait(send(to, payload, headers, limit).receive());
    }

    /// The answer of JetStream's API. Throws where it is an error.
    boost::json::object api(const subject& to, const std::string& payload = {})
    {
        const auto reply = request(to, payload);
        if (reply.has_error() || reply->data.find("\"error\"") != std::string::npos)
            throw std::runtime_error(to.str() + ": " +
                                     (reply.has_error() ? std::string(name_of(reply.error().code)) : reply->data));
        return boost::json::parse(reply->data).as_object();
    }

    result<stream_state> stream(const std::string& name)
    {
        return wait(find_stream(requests(), name, deadline::in(std::chrono::seconds(5))));
    }

    requester& requests() { return nats_->requests(); }
    [[nodiscard]] bool connected() const { return nats_->connected(); }

private:
    asio::io_context io_{1};
    std::unique_ptr<connection> nats_;
};

} // namespace marquee::test
