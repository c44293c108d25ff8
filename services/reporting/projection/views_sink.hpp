// Who wants the views of a projection as they are counted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace marquee
{

/// A view that was counted just now. The texts are valid during the call.
struct followed_view
{
    std::uint64_t sequence = 0; ///< of its message
    std::size_t line = 0;       ///< of its event in the message, from 0
    std::string_view asset;
    std::string_view user;
    std::chrono::nanoseconds time{0}; ///< of the view (counting_rule.hpp), since the epoch
    std::uint64_t asset_views = 0;    ///< with this one
    std::uint64_t user_views = 0;     ///< with this one
};

/// On the projection's thread.
class views_sink
{
public:
    virtual ~views_sink() = default;

    /// Called inside projection::stage(). When that fails, the views of its messages were not
    /// counted; when something is rolled back later, they are counted again, with equal results.
    virtual void counted(const followed_view& view) = 0;

    /// A view was taken back; a user was erased, by the message `sequence`. Called inside
    /// projection::stage().
    virtual void retracted(std::uint64_t sequence, std::size_t line) = 0;
    virtual void erased(std::string_view user, std::uint64_t sequence) = 0;
};

/// What became of an event that was counted.
enum class event_fate : std::uint8_t
{
    view,
    duplicate,
    taken_back, ///< it was a view, and was retracted, or its user erased
    forgotten,  ///< the uses of ids at its time are forgotten: it cannot be told any more
};

} // namespace marquee
