// What the one service of a program tells of its process.
#pragma once

#include "broker/micro/service.hpp"

namespace marquee
{

/// Gives the service the id that is in its connection's name, and adds to its metadata `host`,
/// `pid`, and `connection`: the name that `nats server report connections` shows. Thread-safe.
void identify_program(service_config& config, const connection& nats);

} // namespace marquee
