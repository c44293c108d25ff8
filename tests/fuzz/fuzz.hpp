// What the fuzz targets share. Each target is one file, with rules that hold for any input; a
// broken rule is a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace marquee::fuzz
{

inline void require(bool holds, const char* rule)
{
    if (holds)
        return;
    std::fprintf(stderr, "broken: %s\n", rule);
    std::abort();
}

inline std::string_view text(const std::uint8_t* data, std::size_t size)
{
    return {reinterpret_cast<const char*>(data), size};
}

/// Takes the first byte off, for a choice; 0 where there is none.
inline unsigned choice(std::string_view& input)
{
    if (input.empty())
        return 0;
    const auto first = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return first;
}

} // namespace marquee::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
