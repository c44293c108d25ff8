// Work that is done once for all requests of a loop turn.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace marquee
{

namespace asio = boost::asio;

/// Calls a handler when the present turn of the io_context ends, once however often it is requested
/// in it. Used on one io thread; destroyed before the io_context, and then calls nothing any more.
class turn_end
{
public:
    turn_end(asio::io_context& io, std::function<void()> handler)
        : io_(io), handler_(std::move(handler)), self_(std::make_shared<turn_end*>(this))
    {
    }
    ~turn_end() { *self_ = nullptr; }
    turn_end(const turn_end&) = delete;
    turn_end& operator=(const turn_end&) = delete;

    void request()
    {
        if (!std::exchange(requested_, true))
            asio::post(io_,
                       [self = self_]
                       {
                           if (*self != nullptr)
                               (*self)->call();
                       });
    }

private:
    void call()
    {
        requested_ = false;
        handler_();
    }

    asio::io_context& io_;
    std::function<void()> handler_;
    bool requested_ = false;
    std::shared_ptr<turn_end*> self_; ///< points to null after destruction
};

} // namespace marquee
