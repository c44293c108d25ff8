// Ports for servers that end and come back on the same one.
#pragma once

namespace marquee::test
{

/// A TCP port of the loopback address that was free just now, below those that the kernel hands out by itself: while a server is away, neither another
/// test's connection nor a client that tries again (which the kernel may connect to itself) takes its place. Throws std::runtime_error where none is found.
[[nodiscard]] int free_port();

} // namespace marquee::test
