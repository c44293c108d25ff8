#include "broker/nats/event_loop.hpp"

#include "broker/nats/connect_interceptor.hpp"

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <utility>

namespace marquee::detail
{

file_descriptor::~file_descriptor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

event_loop::event_loop(asio::io_context& io, handlers h) : io_(io), handlers_(std::move(h)), socket_(std::in_place, io)
{
}

natsStatus event_loop::install(natsOptions* options)
{
    kept_by_callbacks_ = shared_from_this();
    auto s = natsOptions_SetEventLoop(options, this, attach, read_event, write_event, detach);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(options, on_closed, this);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(options, on_error, this);
    return s;
}

void event_loop::start(natsConnection* nc, bool connected)
{
    nc_ = nc;
    if (connected)
    {
        adopt();
        link_up();
    }
    else if (nc == nullptr)
        on_closed(nullptr, this); // never connected: nats.c does not call it
}

void event_loop::write_now()
{
    if (up() && want_write_)
        natsConnection_ProcessWriteEvent(nc_);
}

void event_loop::read_now(std::chrono::milliseconds limit)
{
    if (!up() || !socket_->is_open())
        return;
    pollfd arrived{socket_->native_handle(), POLLIN, 0};
    if (::poll(&arrived, 1, static_cast<int>(limit.count())) == 1)
        process_read();
}

void event_loop::shut()
{
    {
        std::lock_guard lock(mutex_);
        shut_ = true;
        attached_ = file_descriptor();
    }
    up_ = false;
    socket_.reset();
    ++epoch_;
    handlers_ = {};
}

/// Runs `work` on the io thread unless the loop is shut by then, when the io_context may be
/// destroyed.
template <class F>
void event_loop::post(F work)
{
    std::lock_guard lock(mutex_);
    if (shut_)
        return;
    asio::post(io_,
               [alive = shared_from_this(), w = std::move(work)]() mutable
               {
                   if (!alive->shut_)
                       w();
               });
}

// ---- called by nats.c on any thread, mostly with its connection lock held

natsStatus event_loop::attach(void** user, void* loop, natsConnection*, natsSock socket) noexcept
{
    auto* self = static_cast<event_loop*>(loop);
    file_descriptor copy(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
    if (copy.get() < 0)
        return NATS_IO_ERROR;
    {
        std::lock_guard lock(self->mutex_);
        if (self->shut_)
            return NATS_ILLEGAL_STATE;
        self->kept_by_hooks_ = self->shared_from_this();
        self->attached_ = std::move(copy);
    }
    *user = self;
    return NATS_OK;
}

natsStatus event_loop::read_event(void* user, bool add) noexcept
{
    auto* self = static_cast<event_loop*>(user);
    if (!add)
    {
        self->up_.store(false);
        self->want_write_ = false;
        {
            std::lock_guard lock(self->mutex_);
            self->attached_ = file_descriptor(); // lost before start()
        }
        self->post([self] { self->link_down(); });
    }
    return NATS_OK;
}

natsStatus event_loop::write_event(void* user, bool add) noexcept
{
    auto* self = static_cast<event_loop*>(user);
    bool wanted = self->want_write_.exchange(add);
    // Until the link is up, link_up() reads the flag.
    if (add && !wanted && self->up())
        self->post([self] { self->write_pending(); });
    return NATS_OK;
}

natsStatus event_loop::detach(void* user) noexcept
{
    auto* self = static_cast<event_loop*>(user);
    std::shared_ptr<event_loop> last;
    std::lock_guard lock(self->mutex_);
    last = std::move(self->kept_by_hooks_);
    return NATS_OK;
}

void event_loop::on_closed(natsConnection*, void* closure) noexcept
{
    auto* self = static_cast<event_loop*>(closure);
    std::shared_ptr<event_loop> last;
    std::lock_guard lock(self->mutex_);
    last = std::move(self->kept_by_callbacks_);
}

void event_loop::on_error(natsConnection*, natsSubscription*, natsStatus status, void* closure) noexcept
{
    auto* self = static_cast<event_loop*>(closure);
    std::string what = natsStatus_GetText(status);
    if (const auto text = nats_error_text(); !text.empty()) // the connection has only the text of its last error
        what += ": " + text;
    self->post(
        [self, w = std::move(what)]() mutable
        {
            if (self->handlers_.on_error)
                self->handlers_.on_error(std::move(w));
        });
}

// ---- on the io thread

void event_loop::adopt()
{
    file_descriptor mine;
    {
        std::lock_guard lock(mutex_);
        mine = std::move(attached_);
    }
    boost::system::error_code ignored;
    if (mine.get() >= 0)
        socket_->assign(mine.get(), ignored);
    if (socket_->is_open())
        (void)mine.release();
}

void event_loop::link_up()
{
    if (!socket_->is_open())
        return; // lost again before this ran
    up_.store(true);
    await_readable();
    write_pending();
    if (!std::exchange(reported_up_, true) && handlers_.on_link)
        handlers_.on_link(true);
}

void event_loop::link_down()
{
    boost::system::error_code ignored;
    socket_->close(ignored);
    ++epoch_;
    waiting_write_ = false;
    if (std::exchange(reported_up_, false) && handlers_.on_link)
        handlers_.on_link(false);
}

void event_loop::await_readable()
{
    auto self = shared_from_this();
    socket_->async_wait(asio::posix::stream_descriptor::wait_read,
                        [self, mine = epoch_](boost::system::error_code ec)
                        {
                            if (ec || mine != self->epoch_ || self->shut_)
                                return;
                            self->process_read();
                            if (mine == self->epoch_ && self->socket_->is_open())
                                self->await_readable();
                        });
}

void event_loop::process_read()
{
    natsConnection_ProcessReadEvent(nc_); // finds nothing after read_now(), which is no error
    if (handlers_.on_read)
        handlers_.on_read();
}

/// Does nothing if everything has been written since this was posted: nats.c takes an empty write
/// for a closed connection.
void event_loop::write_pending()
{
    if (!up() || waiting_write_ || !want_write_)
        return;
    natsConnection_ProcessWriteEvent(nc_);
    if (want_write_ && up())
        await_writable(); // the socket is full
    if (handlers_.on_written)
        handlers_.on_written();
}

void event_loop::await_writable()
{
    waiting_write_ = true;
    auto self = shared_from_this();
    socket_->async_wait(asio::posix::stream_descriptor::wait_write,
                        [self, mine = epoch_](boost::system::error_code ec)
                        {
                            if (ec || mine != self->epoch_ || self->shut_)
                                return;
                            self->waiting_write_ = false;
                            self->write_pending();
                        });
}

} // namespace marquee::detail
