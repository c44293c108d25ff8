// Ports for servers that restart on the same port.
#pragma once

namespace marquee::test
{

/// A free TCP port of the loopback address, below the ephemeral ports: while a server is down, no
/// connection of another test takes its port, nor does a retrying client, which the kernel may
/// connect to itself. Throws std::runtime_error where none is found.
[[nodiscard]] int free_port();

} // namespace marquee::test
