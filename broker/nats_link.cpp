#include "broker/nats_link.hpp"

#include "broker/log.hpp"
#include "broker/nats_options.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace marquee::detail
{

namespace
{

/// nats.c (3.4.1) takes a signature that begins with a zero byte for none and sends none: one in 256. The server has another nonce for each
/// connection, and so another signature.
constexpr int signed_attempts = 3;

/// Attempts that were given up and whose threads have not come back: libc resolves names in its own time.
constexpr std::size_t most_lingering = 8;

constexpr auto silence = std::chrono::minutes(1); ///< after it the same failure is logged again

std::vector<std::string> discovered_by(natsConnection* nc)
{
    char** servers = nullptr;
    int count = 0;
    std::vector<std::string> out;
    if (natsConnection_GetDiscoveredServers(nc, &servers, &count) != NATS_OK)
        return out;
    for (int i = 0; i < count; ++i)
    {
        std::string_view url = servers[i];
        if (const auto scheme = url.find("://"); scheme != std::string_view::npos)
            url.remove_prefix(scheme + 3);
        out.emplace_back(url.substr(url.rfind('@') + 1)); // nats.c may have put a user before it
        std::free(servers[i]);                            // NOLINT(cppcoreguidelines-no-malloc): as nats.c says
    }
    std::free(servers); // NOLINT(cppcoreguidelines-no-malloc)
    return out;
}

} // namespace

nats_link::nats_link(asio::io_context& io, connection_options options, handlers h)
    : io_(io), options_(std::move(options)), handlers_(std::move(h)), servers_(options_.servers), limit_(io), retry_(io)
{
}

result<void> nats_link::check_options() const
{
    if (servers_.all().size() < std::max<std::size_t>(options_.servers.size(), 1))
        return fail(errc::bad_request, "a server is nats://HOST:PORT or tls://HOST:PORT", "--server");
    for (const auto& server : servers_.all())
        if (const auto usable = make_nats_options(options_, server); usable.has_error())
            return usable.error();
    return {};
}

result<void> nats_link::open()
{
    if (auto usable = check_options(); usable.has_error())
        return usable.error();
    blocking_ = !options_.wait_for_server;
    start_round();
    while (blocking_ && under_way_)
    {
        if (under_way_->wait(options_.connect_timeout))
            attempt_ended();
        else
            attempt_took_too_long();
    }
    if (!std::exchange(blocking_, false) || up())
        return {};
    return fail(errc::disconnected, "cannot connect to " + blamed_);
}

void nats_link::start_round()
{
    drop();
    blamed_.clear();
    round_.assign(servers_.all().rbegin(), servers_.all().rend());
    try_next();
}

/// Without a server that is left the round has failed.
void nats_link::try_next()
{
    std::erase_if(lingering_, [](const auto& each) { return each.expired(); });
    if (!round_.empty() && lingering_.size() >= most_lingering)
    {
        blame(round_.back(), "names are resolved too slowly");
        round_.clear();
    }
    if (round_.empty())
    {
        round_failed();
        return;
    }
    const auto server = std::move(round_.back());
    round_.pop_back();
    event_loop::handlers h;
    h.on_read = [this] { handlers_.on_read(); };
    h.on_written = [this] { handlers_.on_written(); };
    h.on_link = [this](bool up) { link_changed(up); };
    h.on_error = [this](std::string what) { handlers_.on_error(std::move(what)); };
    under_way_ = std::make_shared<connect_attempt>(std::make_shared<event_loop>(io_, std::move(h)), server);
    if (blocking_)
    {
        under_way_->start(options_, nullptr);
        return;
    }
    under_way_->start(options_,
                      [this, which = std::weak_ptr(under_way_)] // on its thread; close() gives it up first
                      {
                          asio::post(io_,
                                     [this, which, alive = std::weak_ptr(alive_)]
                                     {
                                         if (!alive.expired() && under_way_ && under_way_ == which.lock())
                                             attempt_ended();
                                     });
                      });
    limit_.expires_after(options_.connect_timeout);
    limit_.async_wait(
        [this, which = std::weak_ptr(under_way_), alive = std::weak_ptr(alive_)](boost::system::error_code ec)
        {
            if (!ec && !alive.expired() && under_way_ && under_way_ == which.lock())
                attempt_took_too_long();
        });
}

void nats_link::attempt_ended()
{
    limit_.cancel();
    const auto made = std::exchange(under_way_, nullptr);
    if (take(*made))
        return;
    learn(*made);
    const bool signs = !options_.nkey_file.empty() || !options_.creds_file.empty();
    if (signs && made->status() == NATS_CONNECTION_AUTH_FAILED && ++signatures_ < signed_attempts)
        round_.push_back(made->server());
    else
    {
        signatures_ = 0;
        blame(made->server(), made->failure());
    }
    try_next();
}

void nats_link::attempt_took_too_long()
{
    const auto made = std::exchange(under_way_, nullptr);
    made->give_up();
    lingering_.push_back(made);
    learn(*made);
    signatures_ = 0;
    const auto what = made->resolved() ? std::string("not connected") : std::string("its name is not resolved");
    blame(made->server(), what + " within " + std::to_string(options_.connect_timeout.count()) + " ms");
    try_next();
}

/// The members that a server has named before it failed us may do better.
void nats_link::learn(const connect_attempt& from)
{
    const auto fresh = servers_.add(from.server(), from.info().connect_urls);
    round_.insert(round_.begin(), fresh.begin(), fresh.end());
}

void nats_link::blame(const server_address& server, const std::string& why)
{
    const auto url = "nats://" + server.host_port;
    if (blocking_ && !round_.empty()) // nobody waits in silence
        log(log_level::warning, "a server does not take us: trying the next", {{"server", url}, {"why", why}});
    blamed_ += (blamed_.empty() ? "" : "; ") + url + ": " + why;
}

void nats_link::round_failed()
{
    if (blocking_)
        return;
    const auto now = std::chrono::steady_clock::now();
    if (std::exchange(logged_, blamed_) != blamed_ || now - logged_at_ >= silence)
    {
        logged_at_ = now;
        log(log_level::warning, "no broker: trying again", {{"why", blamed_}});
    }
    retry_later();
}

/// False: there is no link; it may have been lost as soon as it was there.
bool nats_link::take(connect_attempt& made)
{
    loop_ = made.loop();
    nc_ = made.take_connection();
    if (made.status() == NATS_OK)
    {
        connected_to_ = made.server();
        info_ = made.info();
        servers_.replace(connected_to_, info_.connect_urls);
    }
    loop_->start(nc_, made.status() == NATS_OK);
    if (!up())
    {
        drop();
        return false;
    }
    return true;
}

void nats_link::link_changed(bool up)
{
    if (up)
    {
        logged_.clear();
        handlers_.on_up();
        return;
    }
    servers_.replace(connected_to_, discovered_by(nc_));
    servers_.move_to_end(connected_to_);
    handlers_.on_down();
    retry_later(); // which drops what there was: not here, within a handler of its loop
}

void nats_link::retry_later()
{
    std::uniform_int_distribution<std::int64_t> jitter(0, options_.reconnect_jitter.count());
    retry_.expires_after(options_.reconnect_wait + std::chrono::milliseconds(jitter(random_)));
    retry_.async_wait(
        [this, alive = std::weak_ptr(alive_)](boost::system::error_code ec)
        {
            if (!ec && !alive.expired())
                start_round();
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

void nats_link::read_now(std::chrono::milliseconds limit)
{
    if (up())
        loop_->read_now(limit);
}

void nats_link::close()
{
    alive_.reset();
    retry_.cancel();
    limit_.cancel();
    write_now(); // or natsConnection_Close waits half a second for a flush that nobody makes
    if (under_way_)
        std::exchange(under_way_, nullptr)->give_up();
    drop();
}

} // namespace marquee::detail
