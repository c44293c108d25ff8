// Views by time that are not yet written, as staged_rows.hpp.
#pragma once

#include "services/reporting/projection/steps.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace marquee
{

class step_tables;

/// Which windows leave the memory for others.
enum class window_kind : std::uint8_t
{
    running, ///< it ends now: what everybody asks for
    chosen,  ///< it ends where somebody says
};

/// The views of each hour and each day. Single-threaded; functions that read or write tables throw
/// SQLite::Exception. The tables must outlive it.
class staged_steps
{
public:
    explicit staged_steps(step_tables& tables) : tables_(&tables) {}

    /// Adds a view at `time`, in milliseconds since 1970, not before.
    void add(std::int64_t time, std::uint32_t asset)
    {
        fresh_.push_back(key_of(step_of(step_kind::hour, time), asset));
        for (auto& each : windows_)
            add_to(each, step_of(each.steps.kind, time), asset);
    }

    /// The views of an asset, or of all, in each step.
    [[nodiscard]] std::vector<std::uint64_t> series(const step_range& steps, std::optional<std::uint32_t> asset) const;

    /// The windows of each kind whose sums are kept: 8 bytes for each asset in each of them.
    static constexpr std::size_t most_windows = 4;

    /// Adds up the views of one more step of the window; true where all are. The sums are kept, and
    /// kept up to date by add() and take_back(), until most_windows others of the kind were asked
    /// for later. Steps may be added to, and written, between two calls.
    bool sum_next(const step_range& steps, window_kind kind);

    /// The views in all steps together, by number of the asset; the greatest numbers may be missing
    /// where they have none. Adds up what sum_next() has not. Valid until the next call of
    /// any other function.
    [[nodiscard]] const std::vector<std::uint64_t>& by_asset(const step_range& steps);

    /// Whether by_asset() has nothing to add up.
    [[nodiscard]] bool has_sums(const step_range& steps) const;

    /// A view of an asset was taken back in the tables, where all of it was written. `hour`: of the
    /// view's time.
    void take_back(std::int64_t hour, std::uint32_t asset)
    {
        for (auto& each : windows_)
            if (const auto step = each.steps.kind == step_kind::hour ? hour : hour / 24;
                each.steps.has(step) && step < each.next)
                --count_in(each, asset);
    }

    /// As those of staged_rows. A step is written as a whole, and `rows` may be exceeded by it.
    void freeze();
    std::size_t write(std::size_t rows);
    void written();
    void clear();

private:
    /// A step and an asset: in the order of both.
    using step_key = std::uint64_t;
    struct counted
    {
        step_key key;
        std::uint32_t views;
    };
    struct window
    {
        step_range steps;
        window_kind kind;
        std::int64_t next = 0;            ///< the steps before it are added up
        std::vector<std::uint64_t> views; ///< by number of the asset
    };
    struct frozen_steps
    {
        std::vector<counted> all;
        std::size_t written = 0; ///< those before are in the tables
    };

    [[nodiscard]] static step_key key_of(std::int64_t step, std::uint32_t asset) noexcept
    {
        return static_cast<step_key>(step) << 32U | asset;
    }
    [[nodiscard]] static std::int64_t step_in(step_key key) noexcept { return static_cast<std::int64_t>(key >> 32U); }
    [[nodiscard]] static std::uint32_t asset_in(step_key key) noexcept { return static_cast<std::uint32_t>(key); }

    template <class Visit>
    void each_staged(const step_range& steps, Visit visit) const;

    static void add_to(window& of, std::int64_t step, std::uint32_t asset)
    {
        if (of.steps.has(step) && step < of.next)
            count_in(of, asset) += 1;
    }
    static std::uint64_t& count_in(window& of, std::uint32_t asset)
    {
        if (asset >= of.views.size())
            of.views.resize(std::size_t{asset} + 1);
        return of.views[asset];
    }
    window& window_of(const step_range& steps, window_kind kind);
    void drop_oldest(window_kind kind);
    void sum_step(window& of) const;

    step_tables* tables_;
    std::vector<step_key> fresh_;        ///< a view each: hours
    std::array<frozen_steps, 2> frozen_; ///< by step_kind
    std::vector<step_views> of_one_;     ///< the step that is written
    std::vector<window> windows_;        ///< the one asked for last is the last
};

} // namespace marquee
