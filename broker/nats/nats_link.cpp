#include "broker/nats/nats_link.hpp"

#include "broker/base/log.hpp"
#include "broker/nats/nats_options.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace marquee::detail
{

namespace
{

/// nats.c (3.4.1) sends no signature if its first byte is zero, which is one in 256. Each
/// connection has another nonce and so another signature.
constexpr int max_signed_attempts = 3;

/// Abandoned attempts whose threads still run: libc takes its own time to resolve a name.
constexpr std::size_t max_abandoned = 8;

constexpr auto log_interval = std::chrono::minutes(1); // of one and the same failure

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
        out.emplace_back(url.substr(url.rfind('@') + 1)); // nats.c may add user info
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
    start_cycle();
    while (blocking_ && attempt_)
    {
        if (attempt_->wait(options_.connect_timeout))
            attempt_ended();
        else
            attempt_took_too_long();
    }
    if (!std::exchange(blocking_, false) || up())
        return {};
    return fail(errc::disconnected, "cannot connect to " + failures_);
}

void nats_link::start_cycle()
{
    close_current();
    failures_.clear();
    untried_.assign(servers_.all().rbegin(), servers_.all().rend());
    try_next();
}

/// If no server is left, the cycle has failed.
void nats_link::try_next()
{
    std::erase_if(abandoned_, [](const auto& each) { return each.expired(); });
    if (!untried_.empty() && abandoned_.size() >= max_abandoned)
    {
        add_failure(untried_.back(), "names are resolved too slowly");
        untried_.clear();
    }
    if (untried_.empty())
    {
        cycle_failed();
        return;
    }
    const auto server = std::move(untried_.back());
    untried_.pop_back();
    event_loop::handlers h;
    h.on_read = [this] { handlers_.on_read(); };
    h.on_written = [this] { handlers_.on_written(); };
    h.on_link = [this](bool up) { link_changed(up); };
    h.on_error = [this](std::string what) { handlers_.on_error(std::move(what)); };
    attempt_ = std::make_shared<connect_attempt>(std::make_shared<event_loop>(io_, std::move(h)), server);
    if (blocking_)
    {
        attempt_->start(options_, nullptr);
        return;
    }
    // Called on the attempt's thread: it reads no member that changes.
    auto on_end = [this, which = std::weak_ptr(attempt_), alive = std::weak_ptr(alive_)]
    {
        asio::post(io_,
                   [this, which, alive]
                   {
                       if (!alive.expired() && attempt_ && attempt_ == which.lock())
                           attempt_ended();
                   });
    };
    attempt_->start(options_, std::move(on_end));
    limit_.expires_after(options_.connect_timeout);
    limit_.async_wait(
        [this, which = std::weak_ptr(attempt_), alive = std::weak_ptr(alive_)](boost::system::error_code ec)
        {
            if (!ec && !alive.expired() && attempt_ && attempt_ == which.lock())
                attempt_took_too_long();
        });
}

void nats_link::attempt_ended()
{
    limit_.cancel();
    const auto made = std::exchange(attempt_, nullptr);
    if (adopt(*made))
        return;
    add_discovered(*made);
    const bool signs = !options_.nkey_file.empty() || !options_.creds_file.empty() || !options_.user_seed.empty();
    if (signs && made->status() == NATS_CONNECTION_AUTH_FAILED && ++refused_signatures_ < max_signed_attempts)
        untried_.push_back(made->server());
    else
    {
        refused_signatures_ = 0;
        add_failure(made->server(), made->failure());
    }
    try_next();
}

void nats_link::attempt_took_too_long()
{
    const auto made = std::exchange(attempt_, nullptr);
    made->abandon();
    abandoned_.push_back(made);
    add_discovered(*made);
    refused_signatures_ = 0;
    const auto what = made->resolved() ? std::string("not connected") : std::string("its name is not resolved");
    add_failure(made->server(), what + " within " + std::to_string(options_.connect_timeout.count()) + " ms");
    try_next();
}

/// A server that failed may have named cluster members in INFO: this cycle tries them too.
void nats_link::add_discovered(const connect_attempt& by)
{
    const auto fresh = servers_.add(by.server(), by.info().connect_urls);
    untried_.insert(untried_.begin(), fresh.begin(), fresh.end());
}

void nats_link::add_failure(const server_address& server, const std::string& why)
{
    const auto url = "nats://" + server.host_port;
    if (blocking_ && !untried_.empty()) // open() may block for long
        log(log_level::warning, "a server does not take us: trying the next", {{"server", url}, {"why", why}});
    failures_ += (failures_.empty() ? "" : "; ") + url + ": " + why;
}

void nats_link::cycle_failed()
{
    if (blocking_)
        return;
    const auto now = std::chrono::steady_clock::now();
    if (std::exchange(logged_, failures_) != failures_ || now - logged_at_ >= log_interval)
    {
        logged_at_ = now;
        log(log_level::warning, "no broker: trying again", {{"why", failures_}});
    }
    retry_later();
}

/// Returns false if there is no link: the attempt failed, or the link is lost again.
bool nats_link::adopt(connect_attempt& made)
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
        close_current();
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
    retry_later(); // closes the connection then: this is a handler of its event loop
}

void nats_link::retry_later()
{
    std::uniform_int_distribution<std::int64_t> jitter(0, options_.reconnect_jitter.count());
    retry_.expires_after(options_.reconnect_wait + std::chrono::milliseconds(jitter(rng_)));
    retry_.async_wait(
        [this, alive = std::weak_ptr(alive_)](boost::system::error_code ec)
        {
            if (!ec && !alive.expired())
                start_cycle();
        });
}

void nats_link::close_current()
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
    write_now(); // natsConnection_Close waits up to half a second for an empty write buffer
    if (attempt_)
        std::exchange(attempt_, nullptr)->abandon();
    close_current();
}

} // namespace marquee::detail
