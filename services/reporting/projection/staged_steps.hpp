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
    }

    /// The views of an asset, or of all, in each step.
    [[nodiscard]] std::vector<std::uint64_t> series(const step_range& steps, std::optional<std::uint32_t> asset) const;

    /// The views in all steps together, by number of the asset; `numbers`: one more than the
    /// greatest one.
    [[nodiscard]] std::vector<std::uint64_t> by_asset(const step_range& steps, std::uint32_t numbers) const;

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

    step_tables* tables_;
    std::vector<step_key> fresh_;        ///< a view each: hours
    std::array<frozen_steps, 2> frozen_; ///< by step_kind
    std::vector<step_views> of_one_;     ///< the step that is written
};

} // namespace marquee
