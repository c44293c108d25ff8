// The program of a catalogue service: everything but its records.
#pragma once

#include "broker/jetstream/settings_watch.hpp"
#include "broker/micro/service.hpp"
#include "broker/program/program.hpp"
#include "services/catalogue/catalogue_index.hpp"
#include "services/catalogue/catalogue_store.hpp"

#include <functional>

namespace marquee
{

/// What distinguishes one catalogue service from another.
struct catalogue_program
{
    std::string service; ///< "metadata"; the program is marquee-<service>
    std::string summary; ///< one sentence, for --help and discovery
    std::vector<catalogue_seed> seeds;
    std::function<std::vector<endpoint_config>(catalogue_store&)> endpoints;
    std::function<bool(const asset_id&, std::string_view)> valid; ///< see kv_store::settings
    index_maker make_index = {};                                  ///< what the endpoints find in catalogue_store::index
};

/// Options of the command line about the bucket.
struct bucket_options
{
    int replicas = 1;
    bool demo = true; ///< fill a new bucket with `seeds`
    bool allow_discard_old = false;
    std::chrono::milliseconds check_settings = settings_check; ///< the period of settings_watch
};

/// Starts the service on a connection, which must outlive it: it answers once the whole bucket is
/// in memory, and not while the bucket has settings that are refused. Fails as kv_store::open does.
[[nodiscard]] asio::awaitable<result<std::unique_ptr<component>>>
start_catalogue(connection& nats, catalogue_program what, bucket_options options);

/// main() of the service: command line, connection, service, orderly stop. Returns the exit code.
[[nodiscard]] int run_catalogue(int argc, char** argv, catalogue_program what);

} // namespace marquee
