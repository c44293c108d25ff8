#include "services/catalogue/catalogue_program.hpp"

#include "broker/options.hpp"
#include "broker/program.hpp"
#include "services/catalogue/kv_store.hpp"

#include <iostream>

namespace marquee
{
namespace
{

constexpr auto open_patience = std::chrono::seconds(60); ///< for a million records from a cold disk

class running_catalogue : public runnable
{
public:
    running_catalogue(connection& nats, kv_store::settings bucket) : store_(nats, std::move(bucket)) {}

    /// Serves once the whole bucket is in memory.
    asio::awaitable<result<void>> start(connection& nats, const catalogue_program& what)
    {
        const auto opened = co_await store_.open(deadline::in(open_patience));
        if (opened.has_error())
            co_return opened.error();
        service_config config;
        config.name = what.service;
        config.version = MARQUEE_VERSION;
        config.description = what.summary;
        config.bundles = true;
        auto endpoints = what.endpoints(store_);
        for (auto& endpoint : endpoints)
            endpoint.data = [this] { return store_.statistics(); };
        auto started = service::start(nats, std::move(config), std::move(endpoints));
        if (started.has_error())
            co_return started.error();
        service_ = std::move(*started);
        co_return result<void>();
    }

    asio::awaitable<void> stop(deadline until) override { co_await service_->stop(until); }

private:
    kv_store store_; // before the service, whose handlers use it
    std::unique_ptr<service> service_;
};

asio::awaitable<result<std::unique_ptr<runnable>>> start_catalogue(connection& nats, const catalogue_program& what, int replicas)
{
    kv_store::settings bucket;
    bucket.bucket = what.service;
    bucket.replicas = replicas;
    bucket.seeds = what.seeds;
    bucket.valid = what.valid;
    auto program = std::make_unique<running_catalogue>(nats, std::move(bucket));
    const auto started = co_await program->start(nats, what);
    if (started.has_error())
        co_return started.error();
    co_return std::unique_ptr<runnable>(std::move(program));
}

} // namespace

int run_catalogue(int argc, char** argv, catalogue_program what)
{
    hold_back_hangup();
    const auto name = "marquee-" + what.service;
    boost::program_options::options_description options("Options");
    options.add_options()("replicas", boost::program_options::value<int>()->default_value(1)->value_name("N"),
                          "copies of the bucket in a NATS cluster, when it is created: 1, 3 or 5");
    add_connection_options(options);
    add_reply_options(options);
    const auto given = read_command_line(argc, argv, name, what.summary, std::move(options));
    if (const auto* code = std::get_if<int>(&given))
        return *code;
    auto connect = read_connection_options(std::get<boost::program_options::variables_map>(given));
    if (connect.has_error())
    {
        std::cerr << name << ": " << connect.error().detail << '\n';
        return exit_usage;
    }
    connect->name = name;
    const auto replicas = std::get<boost::program_options::variables_map>(given)["replicas"].as<int>();
    if (replicas < 1 || replicas > 5)
    {
        std::cerr << name << ": --replicas: 1, 3 or 5\n";
        return exit_usage;
    }
    return run_program(*connect, std::chrono::seconds(10),
                       [&what, replicas](connection& nats, const fatal_handler&)
                       { return start_catalogue(nats, what, replicas); });
}

} // namespace marquee
