#include "edge/page/memory_body.hpp"

#include <algorithm>

namespace marquee
{

std::string memory_body::next()
{
    constexpr std::size_t piece = 64 * 1024;
    std::string text(rest_.substr(0, piece));
    rest_.remove_prefix(text.size());
    return text;
}

} // namespace marquee
