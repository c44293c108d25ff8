// The load driver: concurrent clients that play, write every attempt into a ledger, and check every
// answer.
#pragma once

#include "tests/support/expected_views.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace marquee::test
{

struct known_asset
{
    std::string id;
    std::string title;
    std::string genre;
    std::string summary;
    std::string url;
};

/// The two assets every new system has.
[[nodiscard]] std::vector<known_asset> seed_assets();

enum class retrying
{
    never,  ///< each attempt is a play of its own
    half,   ///< every second client retries
    always, ///< a play is repeated under its key until it is acknowledged
};

struct load_settings
{
    std::vector<int> ports;       ///< of the edges: a client changes to the next when one does not answer
    std::filesystem::path ledger; ///< appended to; one line an attempt: {"event","asset","user","outcome"}; empty: none
    std::vector<known_asset> assets = seed_assets();
    std::uint64_t seed = 1;  ///< play n of a seed is always the same: user, asset and key
    std::uint64_t plays = 0; ///< 0: until stop()
    std::size_t clients = 64;
    std::size_t users = 500;
    retrying retry = retrying::never;
    bool keys_are_used = false;             ///< these plays were made before: their counts need not grow
    std::chrono::milliseconds limit{30000}; ///< for one answer; none by then is wrong
};

struct load_report
{
    std::uint64_t attempts = 0;
    std::uint64_t acknowledged = 0; ///< attempts: 200 with counts, or degraded ["reporting"]
    std::uint64_t uncounted = 0;    ///< of those, degraded
    std::uint64_t refused = 0;      ///< nothing happened: 503, or no connection
    std::uint64_t unknown = 0;      ///< degraded ["events"], 504, a broken connection, no answer
    std::uint64_t unconnected = 0;  ///< of the refused: there was no connection
    std::uint64_t broken = 0;       ///< of the unknown: the connection broke after the request was sent
    std::map<int, std::uint64_t> statuses;
    std::uint64_t wrong = 0;                     ///< answers that are wrong in any state of the system
    std::vector<std::string> wrong_examples;     ///< the first few
    std::chrono::milliseconds longest_outage{0}; ///< between two acknowledgements
    std::chrono::milliseconds time{0};

    void add(const load_report& other);
};

/// Plays on a thread of its own from construction on.
class load
{
public:
    load(load_settings with, expected_views& expected);
    ~load(); ///< cancels attempts in flight
    load(const load&) = delete;
    load& operator=(const load&) = delete;

    /// Waits until this many attempts were acknowledged; false when all ended before, or not one
    /// more was acknowledged for `patience`.
    [[nodiscard]] bool wait_for_acknowledged(std::uint64_t count,
                                             std::chrono::milliseconds patience = std::chrono::seconds(60)) const;

    [[nodiscard]] load_report so_far() const;

    /// Starts no new plays; those in flight end (with retrying: acknowledged).
    void stop();

    /// Waits until every client has ended; throws std::runtime_error when for `patience` nothing
    /// was acknowledged.
    load_report finish(std::chrono::milliseconds patience = std::chrono::seconds(60));

private:
    class running;
    std::unique_ptr<running> running_;
};

} // namespace marquee::test
