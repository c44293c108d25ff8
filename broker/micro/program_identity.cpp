#include "broker/micro/program_identity.hpp"

#include <array>

#include <unistd.h>

namespace marquee
{

void identify_program(service_config& config, const connection& nats)
{
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0)
        host.front() = '\0';
    if (const auto& known = nats.identity(); !known.instance.empty())
        config.id = known.instance;
    config.metadata["host"] = host.data();
    config.metadata["pid"] = std::to_string(::getpid());
    config.metadata["connection"] = nats.identity().name;
}

} // namespace marquee
