// What clients sent and were told, so that every count can be judged: while they play, and in the end.
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
    std::uint64_t told = 0;         ///< the highest count an answer gave
};

/// Thread-safe. Each play counts once, whatever is said about it how often.
class play_tally
{
public:
    /// What an answer to a play that starts now must not fall below; `fresh` if it was never attempted before: then it must exceed it.
    struct floor
    {
        std::uint64_t asset = 0;
        std::uint64_t user = 0;
        bool fresh = true;
    };

    floor attempt(const play& what);
    void acknowledge(const play& what);

    /// Judges the counts of an answer; empty, or what is wrong with them.
    [[nodiscard]] std::string judge(const play& what, const floor& from, std::uint64_t assetviews, std::uint64_t userviews);

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

/// Asks an edge for every count and compares with the bounds: a line for each that is wrong. `exact`: everything attempted was
/// acknowledged, so each count is one number.
[[nodiscard]] std::vector<std::string> wrong_counts(const play_tally& tally, int port, bool exact);

} // namespace marquee::test
