// Values of command line options with a unit.
#pragma once

#include <chrono>
#include <cstdint>
#include <istream>
#include <ostream>
#include <string>

namespace marquee
{

/// `500ms`, `90s`, `15m`, `24h`, `7d`; 0 needs no unit. Not negative.
struct duration_option
{
    std::chrono::nanoseconds value{0};
};

/// `1000000`, `512K`, `64M`, `10G` (powers of 1024); at least 1.
struct size_option
{
    std::int64_t value = 0;
};

/// Copies of a stream: 1 to 5.
struct replicas_option
{
    int value = 1;
};

/// Read as Boost.Program_options does: a text that is not wholly a value sets the fail bit, which becomes a usage error.
std::istream& operator>>(std::istream& in, duration_option& out);
std::istream& operator>>(std::istream& in, size_option& out);
std::istream& operator>>(std::istream& in, replicas_option& out);

/// For the defaults in --help.
std::ostream& operator<<(std::ostream& out, const duration_option& value);
std::ostream& operator<<(std::ostream& out, const size_option& value);
std::ostream& operator<<(std::ostream& out, const replicas_option& value);

} // namespace marquee
