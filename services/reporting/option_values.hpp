// Values of command line options with a unit.
#pragma once

#include <chrono>
#include <cstdint>
#include <istream>
#include <ostream>

namespace marquee
{

/// A time as parse_duration() reads it: `500ms`, `90s`, `15m`, `24h`, `7d`, or a number of seconds;
/// from 0 to what fits in nanoseconds.
struct duration_option
{
    std::chrono::nanoseconds value{0};
};

/// Bytes: `1000000`, `512K`, `64M`, `10G` (powers of 1024); at least 1.
struct size_option
{
    std::int64_t value = 0;
};

/// Copies of a stream: 1 to 5.
struct replicas_option
{
    int value = 1;
};

/// As Boost.Program_options reads values: a text that is not wholly a value sets the fail bit,
/// which becomes a usage error.
std::istream& operator>>(std::istream& in, duration_option& out);
std::istream& operator>>(std::istream& in, size_option& out);
std::istream& operator>>(std::istream& in, replicas_option& out);

/// Of the defaults in --help. A time is written in the largest unit that divides it.
std::ostream& operator<<(std::ostream& out, const duration_option& value);
std::ostream& operator<<(std::ostream& out, const size_option& value);
std::ostream& operator<<(std::ostream& out, const replicas_option& value);

} // namespace marquee
