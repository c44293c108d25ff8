#include "broker/base/log.hpp"
#include "broker/base/log_reporter.hpp"
#include "broker/base/log_writer.hpp"
#include "broker/base/supervisor.hpp"
#include "broker/nats/connection.hpp"
#include "broker/program/log_options.hpp"
#include "broker/program/options.hpp"
#include "broker/program/program.hpp"
#include "broker/program/trace_options.hpp"
#include "edge/live_reload.hpp"
#include "edge/routes/routes.hpp"
#include "edge/server/listen.hpp"
#include "edge/worker.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace
{

using namespace marquee;
using workers = std::vector<std::unique_ptr<edge_worker>>;

constexpr std::size_t most_operators = 256; ///< connections to --admin-listen

int cannot_start(const error& why)
{
    log(log_level::error, "cannot start", {{"error", std::string(name_of(why.code))}, {"detail", why.detail}});
    return why == errc::bad_request ? exit_usage : exit_failed;
}

result<void> check_options(const boost::program_options::variables_map& given)
{
    if (auto config = read_edge_config(given); config.has_error())
        return config.error();
    if (auto traces = check_trace_options(given); traces.has_error())
        return traces;
    return check_connection_options(given);
}

/// Where to listen; each port is free. All threads share a port, so the two listeners must not.
result<edge_endpoints> find_endpoints(const edge_config& config)
{
    auto main = resolve_listen_address(config.listen);
    if (main.has_error())
        return main.error();
    if (auto free = check_port_is_free(*main); free.has_error())
        return free.error();
    if (!config.admin_listen)
        return edge_endpoints{*main, std::nullopt};
    auto admin = resolve_listen_address(*config.admin_listen);
    if (admin.has_error())
        return admin.error();
    const bool same_address =
        admin->address() == main->address() || admin->address().is_unspecified() || main->address().is_unspecified();
    if (same_address && admin->port() == main->port() && main->port() != 0)
        return fail(errc::bad_request, "--admin-listen: needs another port than --listen", "admin-listen");
    if (auto free = check_port_is_free(*admin); free.has_error())
        return free.error();
    return edge_endpoints{*main, *admin};
}

/// Opens one worker per thread on the same addresses. Returns these with the bound ports.
result<edge_endpoints> open_all(workers& all, const edge_config& config, const connection_options& nats,
                                connection_limits& limits, const std::shared_ptr<rate_limits>& rates, const site* files,
                                const tls_credentials* tls)
{
    const auto board = std::make_shared<metrics_board>(route_labels());
    if (tls != nullptr)
        board->set_certificate([tls] { return tls->not_after(); });
    auto at = find_endpoints(config);
    if (at.has_error())
        return at;
    for (unsigned i = 0; i < config.threads; ++i)
    {
        auto settings = live_settings::from(config, rates);
        if (settings.has_error())
            return settings.error();
        all.push_back(std::make_unique<edge_worker>(std::move(*settings), limits, board, files, tls));
        auto own = nats;
        if (config.threads > 1)
            own.instance += '-' + std::to_string(i + 1);
        if (auto opened = all.back()->open(own, *at); opened.has_error())
            return opened.error();
    }
    return at;
}

std::vector<asio::any_io_executor> loops_of(const workers& all)
{
    std::vector<asio::any_io_executor> loops;
    for (const auto& each : all)
        loops.push_back(each->executor());
    return loops;
}

/// Waits for SIGINT or SIGTERM, then stops the workers in order. A second signal ends the process
/// at once.
class shutdown_handler
{
public:
    shutdown_handler(asio::io_context& io, workers& all)
        : io_(io), all_(all), signals_(io, SIGINT, SIGTERM), running_(all.size())
    {
        wait();
    }

private:
    void wait()
    {
        signals_.async_wait(
            [this](boost::system::error_code ec, int number)
            {
                if (ec)
                    return;
                if (std::exchange(stopping_, true))
                {
                    log(log_level::warning, "second signal: stopping at once");
                    exit_at_once(exit_failed);
                }
                log(log_level::info, "stopping", {{"signal", number == SIGINT ? "INT" : "TERM"}});
                notify_stopping();
                for (auto& each : all_)
                    each->stop([this] { asio::post(io_, [this] { on_worker_stopped(); }); });
                wait();
            });
    }

    void on_worker_stopped()
    {
        if (--running_ == 0)
            io_.stop();
    }

    asio::io_context& io_;
    workers& all_;
    asio::signal_set signals_;
    std::size_t running_;
    bool stopping_ = false;
};

int run(const edge_config& config, const connection_options& nats, const program_settings& settings)
{
    const log_thread writing;
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c): cannot fail; a broken connection is an error code
    connection_limits limits{connection_limit(config.max_connections, config.limits.max_connections_per_address,
                                              config.limits.rates.trusted_proxies),
                             connection_limit(most_operators), stream_limit(config.max_live),
                             stream_limit(config.max_media)};
    const auto rates = std::make_shared<rate_limits>(config.limits.rates);
    std::unique_ptr<tls_credentials> tls;
    if (!config.tls.certificate.empty())
    {
        auto read = tls_credentials::from(config.tls);
        if (read.has_error())
            return cannot_start(read.error());
        tls = std::move(*read);
    }
    std::optional<site> files;
    if (config.site.served)
    {
        auto found = site::from(config.site);
        if (found.has_error())
            return cannot_start(found.error());
        files.emplace(std::move(*found));
    }
    asio::io_context signals_io(1);
    auto starting = std::make_unique<exit_on_signal>();
    workers all;
    auto at = open_all(all, config, nats, limits, rates, files ? &*files : nullptr, tls.get());
    if (at.has_error())
        return cannot_start(at.error());
    const shutdown_handler on_signal(signals_io, all);
    starting.reset(); // `on_signal` handles signals from now on
    std::optional<tls_reloader> reloading;
    if (tls)
        reloading.emplace(signals_io, *tls);
    const watchdog watched(signals_io, loops_of(all));
    const log_reporter suppressed_lines(signals_io);
    for (auto& each : all)
        each->start();
    if (at->admin)
        log(log_level::info, "serving operators", {{"admin", to_text(*at->admin)}});
    live_reload live(signals_io, all, limits.players, rates);
    settings_reloader reloading_settings(
        signals_io, settings,
        {live_reload::options(), [&](const auto& values, auto done) { return live.apply(values, std::move(done)); }});
    log(log_level::info, "ready",
        {{"listen", to_text(at->main)}, {"threads", std::to_string(config.threads)}, {"nats", servers_for_log(nats)}});
    notify_ready();
    signals_io.run();
    for (auto& each : all)
        each->join();
    log(log_level::info, "stopped");
    return exit_ok;
}

} // namespace

int main(int argc, char** argv)
{
    const nats_threads nats_library;
    block_sighup();
    boost::program_options::options_description options("Options");
    add_edge_options(options);
    add_access_log_options(options);
    add_connection_options(options);
    add_trace_options(options);
    const auto read =
        read_settings(argc, argv,
                      {"marquee-edge", "The HTTP edge of Marquee: plays, content, URLs and views over NATS.", options,
                       check_options});
    if (const auto* done = std::get_if<int>(&read))
        return *done;
    const auto& settings = std::get<program_settings>(read);
    auto nats = read_connection_options(settings.values()).value();
    nats.name = "marquee-edge";
    const auto traces = start_export(settings.values(), nats.name, nats.instance);
    if (traces.has_error())
        return report_unusable(traces.error());
    return run(read_edge_config(settings.values()).value(), nats, settings);
}
