// The executable of a catalogue service: everything but its records.
#pragma once

#include "broker/service.hpp"
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

/// main() of the service: command line, connection, service, orderly stop. Answers the exit code.
[[nodiscard]] int run_catalogue(int argc, char** argv, catalogue_program what);

} // namespace marquee
