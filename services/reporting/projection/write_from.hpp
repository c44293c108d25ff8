// Writing a list in parts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace marquee
{

/// Calls `write` with at most `rows` elements of `all`, from `next` on, which moves on. Returns how
/// many.
template <class Row, class Write>
std::size_t write_from(std::size_t& next, const std::vector<Row>& all, std::size_t rows, Write write)
{
    const auto count = std::min(rows, all.size() - next);
    std::for_each_n(all.begin() + static_cast<std::ptrdiff_t>(next), count, write);
    next += count;
    return count;
}

} // namespace marquee
