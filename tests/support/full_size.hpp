// Whether tests run at sizes that take minutes.
#pragma once

#include <cstdlib>

namespace marquee::test
{

/// True where MARQUEE_FULL is set and not empty.
inline bool is_full()
{
    const char* value = std::getenv("MARQUEE_FULL");
    return value != nullptr && *value != '\0';
}

} // namespace marquee::test
