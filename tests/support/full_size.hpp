// The sizes that take minutes.
#pragma once

#include <cstdlib>

namespace marquee::test
{

/// Whether they are asked for: MARQUEE_FULL is set.
inline bool is_full() { return std::getenv("MARQUEE_FULL") != nullptr; }

} // namespace marquee::test
