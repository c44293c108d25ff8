#include "services/catalogue/catalogue_program.hpp"

#include "broker/options.hpp"
#include "broker/program.hpp"
#include "services/catalogue/memory_store.hpp"

#include <iostream>

namespace marquee
{
namespace
{

class running_catalogue : public runnable
{
public:
    explicit running_catalogue(std::vector<catalogue_seed> seeds) : store_(std::move(seeds)) {}

    result<void> start(connection& nats, const catalogue_program& what)
    {
        service_config config;
        config.name = what.service;
        config.version = MARQUEE_VERSION;
        config.description = what.summary;
        auto started = service::start(nats, std::move(config), what.endpoints(store_));
        if (started.has_error())
            return started.error();
        service_ = std::move(*started);
        return {};
    }

    asio::awaitable<void> stop(deadline until) override { co_await service_->stop(until); }

private:
    memory_store store_; // before the service, whose handlers use it
    std::unique_ptr<service> service_;
};

asio::awaitable<result<std::unique_ptr<runnable>>> start_catalogue(connection& nats, const catalogue_program& what)
{
    auto program = std::make_unique<running_catalogue>(what.seeds);
    if (auto started = program->start(nats, what); started.has_error())
        co_return started.error();
    co_return std::unique_ptr<runnable>(std::move(program));
}

} // namespace

int run_catalogue(int argc, char** argv, catalogue_program what)
{
    const auto name = "marquee-" + what.service;
    boost::program_options::options_description options("Connection");
    add_connection_options(options);
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
    return run_program(*connect, std::chrono::seconds(10),
                       [&what](connection& nats, const fatal_handler&) { return start_catalogue(nats, what); });
}

} // namespace marquee
