// Reading views from the stream that are no longer in memory.
#pragma once

#include "schemas/live_messages.hpp"
#include "schemas/live_place.hpp"
#include "services/reporting/reporting_endpoints.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace marquee
{

/// Views of a part of the stream.
struct live_part
{
    std::vector<live_view> views; ///< without their counts
    live_position next;           ///< they are all views up to here
    bool gap = false;             ///< what was asked for is gone, and `next` is where views go on; there are none
};

/// The most messages that one call reads, and the most events that it looks at: most of them may be
/// no views.
inline constexpr std::size_t most_messages_read = 256;
inline constexpr std::size_t most_lines_read = 4096;

/// Reads the counted views after `after`, which is before the begin of the ring: `limit` at most,
/// and no more than one reply holds. Other work of the thread has turns in between. An event was a
/// view where the projection says so (projection::fate_of); where it cannot tell any more, or the
/// message is no longer in the stream, or is a dedupe window older than the last one, the place is
/// gone; views go on at the first message that is there and not so old. Fails as find_message()
/// does, and with `unavailable` where the database fails.
[[nodiscard]] asio::awaitable<result<live_part>> read_live_part(std::shared_ptr<reporting_views> from,
                                                                live_position after, std::size_t limit, deadline until);

} // namespace marquee
