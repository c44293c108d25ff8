// The endpoints of metadata on a store in memory.
#pragma once

#include "services/catalogue/catalogue_endpoints.hpp"
#include "services/catalogue/memory_store.hpp"
#include "services/metadata/metadata.hpp"
#include "tests/unit/services/kit.hpp"

namespace marquee::test
{

struct metadata_fixture
{
    memory_store store{metadata_seeds()};
    std::vector<endpoint_config> endpoints = catalogue_endpoints<metadata_catalogue>(store);

    service_result call(const std::string& name, const std::string& token, std::string payload = {},
                        header_list headers = {})
    {
        return ask(endpoints, name, "metadata." + name + "." + token, std::move(payload), std::move(headers));
    }
    service_result list(std::string payload = {})
    {
        return ask(endpoints, "list", "metadata.list", std::move(payload));
    }
};

} // namespace marquee::test
