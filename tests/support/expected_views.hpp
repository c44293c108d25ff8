// Bounds of every view counter, from what clients sent and what was answered, so that each count
// can be checked during the load and afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace marquee::test
{

struct play
{
    std::string asset;
    std::string user;
    std::string event; ///< its id, a function of user and key
    std::string key;
};

/// Bounds of one view counter.
struct view_bounds
{
    std::uint64_t acknowledged = 0; ///< plays known to be stored: it counts at least these
    std::uint64_t attempted = 0;    ///< plays that may be stored: it counts at most these
    std::uint64_t highest_seen = 0; ///< the highest count an answer gave
};

/// Thread-safe. A play counts once, however often it is attempted or acknowledged.
class expected_views
{
public:
    /// The least counts that the answer to a play that starts now may show. `fresh`: the play was
    /// not attempted before, so the counts must be higher.
    struct floor
    {
        std::uint64_t asset = 0;
        std::uint64_t user = 0;
        bool fresh = true;
    };

    floor attempt(const play& what);
    void acknowledge(const play& what);

    /// Checks the counts of an answer; returns what is wrong, or nothing.
    [[nodiscard]] std::string judge(const play& what, const floor& from, std::uint64_t assetviews,
                                    std::uint64_t userviews);

    [[nodiscard]] std::map<std::string, view_bounds> assets() const;
    [[nodiscard]] std::map<std::string, view_bounds> users() const;
    [[nodiscard]] std::uint64_t acknowledged() const; ///< distinct plays
    [[nodiscard]] std::uint64_t attempted() const;    ///< distinct plays

private:
    mutable std::mutex mutex_;
    std::map<std::string, view_bounds> assets_;
    std::map<std::string, view_bounds> users_;
    std::unordered_set<std::uint64_t> attempted_; ///< hashes of event ids
    std::unordered_set<std::uint64_t> acknowledged_;
};

/// Reads every count from an edge and compares it with the bounds: a line for each that is wrong.
/// `exact`: everything attempted was acknowledged, so each count is one number.
[[nodiscard]] std::vector<std::string> wrong_counts(const expected_views& expected, int port, bool exact);

} // namespace marquee::test
