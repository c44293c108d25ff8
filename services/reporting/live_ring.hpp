// The last views that were counted, in memory.
#pragma once

#include "schemas/live_messages.hpp"
#include "schemas/live_place.hpp"
#include "services/reporting/projection/views_sink.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace marquee
{

/// Takes views while they are counted, and keeps the last ones. A view enters once: what is counted
/// again after a rollback is already here, with the same place. Single-threaded.
class live_ring final : public views_sink
{
public:
    struct entry
    {
        live_position at;
        std::string asset;
        std::string user;
        std::chrono::nanoseconds time{0};
        std::uint64_t asset_views = 0;
        std::uint64_t user_views = 0;
    };

    static constexpr std::size_t most_erasures = 256;

    /// Keeps `capacity` views at most.
    explicit live_ring(std::size_t capacity) : capacity_(capacity) {}

    /// Begins anew: it will have all views after the message `sequence`.
    void begin_after(std::uint64_t sequence);

    void counted(const followed_view& view) override;
    void retracted(std::uint64_t sequence, std::size_t line) override;
    void erased(std::string_view user, std::uint64_t sequence) override;

    /// Forgets what was counted since publish(): stage() has failed.
    void discard() noexcept { fresh_.clear(); }

    /// Everything up to the message `sequence` is counted: the views since the last call enter.
    void publish(std::uint64_t sequence);

    /// It has all counted views in (begin(), end()].
    [[nodiscard]] live_position begin() const noexcept { return begin_; }
    [[nodiscard]] live_position end() const noexcept { return {through_, live_position::whole}; }

    /// The number of the first view after a position that is not before begin(); size() where there
    /// is none.
    [[nodiscard]] std::size_t first_after(live_position at) const;

    /// The last erasures since begin_after(), in the order of the stream, most_erasures at most:
    /// the oldest is forgotten first.
    [[nodiscard]] const std::deque<live_erasure>& erasures() const noexcept { return erasures_; }

    [[nodiscard]] std::size_t size() const noexcept { return views_.size(); }
    [[nodiscard]] const entry& operator[](std::size_t number) const { return views_[number]; }

private:
    template <class Test>
    void remove(const Test& which);

    std::size_t capacity_;
    live_position begin_;
    std::uint64_t through_ = 0;
    std::deque<entry> views_;
    std::deque<live_erasure> erasures_;
    std::vector<entry> fresh_; ///< since publish()
};

} // namespace marquee
