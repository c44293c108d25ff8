// The executable of a catalogue service: everything but its records.
#pragma once

#include "broker/program.hpp"
#include "broker/service.hpp"
#include "broker/settings_watch.hpp"
#include "services/catalogue/catalogue_store.hpp"

#include <functional>

namespace marquee
{

struct catalogue_program
{
    std::string service; ///< "metadata"; the program is marquee-<service>
    std::string summary; ///< one sentence, for --help and discovery
    std::vector<catalogue_seed> seeds;
    std::function<std::vector<endpoint_config>(catalogue_store&)> endpoints;
    std::function<bool(const asset_id&, std::string_view)> valid; ///< see kv_store::settings
};

/// What its command line says of its bucket.
struct bucket_options
{
    int replicas = 1;
    bool demo = true; ///< fill a new bucket with `seeds`
    bool allow_discard_old = false;
    std::chrono::milliseconds check_settings = settings_check; ///< how often the bucket's settings are looked at
};

/// The service on a connection: answers once the whole bucket is in memory, but not while the bucket has settings that are refused.
[[nodiscard]] asio::awaitable<result<std::unique_ptr<runnable>>> start_catalogue(connection& nats, catalogue_program what,
                                                                                 bucket_options options);

/// main() of the service: command line, connection, service, orderly stop. Answers the exit code.
[[nodiscard]] int run_catalogue(int argc, char** argv, catalogue_program what);

} // namespace marquee
