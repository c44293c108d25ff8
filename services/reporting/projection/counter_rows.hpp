// What is counted of an asset, and of a user: the rows of the tables `assets`, `users` and `seen`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace marquee
{

/// Before every time of a view: of rows that an older version counted.
inline constexpr std::int64_t no_time = -1;

/// Numbers stand for ids in other rows. They are given in the order of the stream, from 1, and
/// never again.
struct asset_row
{
    std::uint32_t number = 0; ///< 0: not counted yet
    std::uint64_t views = 0;
    std::uint64_t viewers = 0;   ///< different users
    std::int64_t last = no_time; ///< greatest time of a view, milliseconds

    /// What is to be written.
    using snapshot = asset_row;
    [[nodiscard]] snapshot take_snapshot() const { return *this; }

    /// In units of 16 bytes.
    [[nodiscard]] std::size_t weight() const noexcept { return 8; }
};

/// The views of one user of one asset. Its bytes are stored in the database.
struct seen_asset
{
    std::uint32_t asset = 0; ///< number
    std::uint32_t views = 0;
    std::int64_t last = no_time; ///< greatest time, milliseconds

    friend bool operator==(const seen_asset&, const seen_asset&) = default;
};
static_assert(sizeof(seen_asset) == 16, "without padding, as stored");

/// What is to be written of a user. A long list is written as a whole only now and then; `recent`
/// has what has changed since.
struct user_snapshot
{
    std::uint32_t number = 0;
    std::uint64_t views = 0;
    std::int64_t last = no_time;
    std::vector<seen_asset> recent; ///< instead of their entries in the list
    std::vector<seen_asset> seen;   ///< the list
    bool whole = false;             ///< the list is to be written
};

struct user_row
{
    std::uint32_t number = 0; ///< 0: not counted yet
    std::uint64_t views = 0;
    std::int64_t last = no_time;       ///< greatest time of a view, milliseconds
    std::vector<seen_asset> seen;      ///< in the order of the numbers of the assets
    std::vector<std::uint32_t> recent; ///< assets whose entries are not in the written list

    using snapshot = user_snapshot;

    /// The list as a whole where much of it is recent: then nothing is any more.
    [[nodiscard]] snapshot take_snapshot()
    {
        std::sort(recent.begin(), recent.end());
        recent.erase(std::unique(recent.begin(), recent.end()), recent.end());
        if (recent.size() > most_recent + seen.size() / 16)
            return take_whole();
        user_snapshot taken{number, views, last, {}, {}, false};
        taken.recent.reserve(recent.size());
        for (const auto asset : recent)
            taken.recent.push_back(*find(asset));
        return taken;
    }

    [[nodiscard]] snapshot take_whole()
    {
        recent.clear();
        return {number, views, last, {}, seen, true};
    }

    [[nodiscard]] std::size_t weight() const noexcept { return 12 + seen.size() + recent.size() / 4; }

    static constexpr std::size_t most_recent = 32;

    /// The place of the asset in `seen`, or where it belongs.
    [[nodiscard]] std::vector<seen_asset>::iterator find(std::uint32_t asset)
    {
        return std::lower_bound(seen.begin(), seen.end(), asset,
                                [](const seen_asset& each, std::uint32_t wanted) { return each.asset < wanted; });
    }

    /// Adds a view of an asset; true where it is this user's first one of it.
    bool see(std::uint32_t asset, std::int64_t time)
    {
        ++views;
        last = std::max(last, time);
        auto at = seen.empty() || seen.back().asset < asset ? seen.end() : find(asset);
        const bool is_new = at == seen.end() || at->asset != asset;
        if (is_new)
            at = seen.insert(at, {asset, 0, time});
        ++at->views;
        at->last = std::max(at->last, time);
        if (recent.empty() || recent.back() != asset)
            recent.push_back(asset);
        return is_new;
    }
};

} // namespace marquee
