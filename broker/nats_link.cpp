#include "broker/nats_link.hpp"

#include "broker/nats_options.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace marquee::detail
{

namespace
{

/// nats.c (3.4.1) takes a signature that begins with a zero byte for none and sends none: one in 256. The server has another nonce for each
/// connection, and so another signature.
constexpr int signed_attempts = 3;

} // namespace

nats_link::nats_link(asio::io_context& io, connection_options options, handlers h)
    : io_(io), options_(std::move(options)), handlers_(std::move(h)), retry_(io)
{
}

result<void> nats_link::open()
{
    if (auto usable = make_nats_options(options_); usable.has_error())
        return usable.error();
    if (options_.wait_for_server)
    {
        begin();
        return {};
    }
    const bool signs = !options_.nkey_file.empty() || !options_.creds_file.empty();
    for (int left = signs ? signed_attempts : 1;; --left)
    {
        const auto made = make_attempt();
        run(*made, options_);
        if (take(*made))
            return {};
        if (left == 1 || made->status != NATS_CONNECTION_AUTH_FAILED)
            return fail(errc::disconnected,
                        "cannot connect to " + servers_for_log(options_) + ": " + natsStatus_GetText(made->status));
    }
}

std::shared_ptr<nats_link::attempt> nats_link::make_attempt()
{
    event_loop::handlers h;
    h.on_read = [this] { handlers_.on_read(); };
    h.on_written = [this] { handlers_.on_written(); };
    h.on_link = [this](bool up) { link_changed(up); };
    h.on_error = [this](std::string what) { handlers_.on_error(std::move(what)); };
    auto made = std::make_shared<attempt>();
    made->loop = std::make_shared<event_loop>(io_, std::move(h));
    return made;
}

/// On the connector's thread, or the opener's.
void nats_link::run(attempt& one, const connection_options& options)
{
    const auto made = make_nats_options(options); // anew: credentials may have been rotated
    if (made.has_error())
        return;
    one.status = one.loop->install(made->get());
    if (one.status == NATS_OK)
        one.status = natsConnection_Connect(&one.nc, made->get());
}

void nats_link::begin()
{
    drop();
    under_way_ = make_attempt();
    connector_ = std::thread(
        [this, made = under_way_, weak = std::weak_ptr(alive_)]
        {
            run(*made, options_);
            nats_ReleaseThreadMemory();
            asio::post(io_,
                       [this, made, weak]
                       {
                           if (weak.expired())
                               return;
                           connector_.join();
                           under_way_.reset();
                           if (!take(*made))
                               retry_later();
                       });
        });
}

/// False: there is no link; it may have been lost as soon as it was there.
bool nats_link::take(attempt& made)
{
    loop_ = made.loop;
    nc_ = std::exchange(made.nc, nullptr);
    loop_->start(nc_, made.status == NATS_OK);
    if (up())
        return true;
    drop();
    return false;
}

void nats_link::link_changed(bool up)
{
    if (up)
    {
        handlers_.on_up();
        return;
    }
    handlers_.on_down();
    retry_later(); // which drops what there was: not here, within a handler of its loop
}

void nats_link::retry_later()
{
    std::uniform_int_distribution<std::int64_t> jitter(0, options_.reconnect_jitter.count());
    retry_.expires_after(options_.reconnect_wait + std::chrono::milliseconds(jitter(random_)));
    retry_.async_wait(
        [this, weak = std::weak_ptr(alive_)](boost::system::error_code ec)
        {
            if (!ec && !weak.expired())
                begin();
        });
}

void nats_link::drop()
{
    if (loop_)
        loop_->shut();
    if (nc_ != nullptr)
    {
        natsConnection_Close(nc_);
        natsConnection_Destroy(std::exchange(nc_, nullptr));
    }
}

void nats_link::write_now()
{
    if (up())
        loop_->write_now();
}

void nats_link::read_now()
{
    if (up())
        loop_->read_now();
}

void nats_link::close()
{
    alive_.reset();
    retry_.cancel();
    write_now(); // or natsConnection_Close waits half a second for a flush that nobody makes
    if (under_way_)
        under_way_->loop->shut(); // it fails as soon as it has a socket
    if (connector_.joinable())
        connector_.join();
    if (under_way_ && under_way_->nc != nullptr)
    {
        natsConnection_Close(under_way_->nc);
        natsConnection_Destroy(std::exchange(under_way_->nc, nullptr));
    }
    else if (under_way_)
        under_way_->loop->start(nullptr, false); // it has failed: nobody else lets go of the loop
    drop();
}

} // namespace marquee::detail
