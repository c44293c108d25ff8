// Whether both catalogues answer `gets`.
#pragma once

#include "edge/upstream/service_health.hpp"

#include <boost/json/object.hpp>

#include <array>

namespace marquee
{

/// Open while an instance of metadata and one of cdnurl had an endpoint `gets`, which services of
/// an earlier version lack, at the last look that was answered. `no_responders` does not tell: a
/// client that subscribes to all subjects is a responder. An instance_watch for each service tells
/// the gate. Used on one io thread.
class gets_gate
{
public:
    [[nodiscard]] bool open() const noexcept { return open_[0] && open_[1]; }

    /// Adds an INFO document (ADR-32) of `of`, which is metadata or cdnurl. Returns whether it
    /// decides the look.
    bool add(upstream_service of, const boost::json::object& info);

    /// Ends a look at `of`.
    void looked(upstream_service of) noexcept;

private:
    [[nodiscard]] static std::size_t index_of(upstream_service of) noexcept
    {
        return of == upstream_service::metadata ? 0 : 1;
    }

    std::array<bool, 2> open_{};
    std::array<bool, 2> answered_{}; ///< in this look
    std::array<bool, 2> found_{};    ///< the same
};

} // namespace marquee
