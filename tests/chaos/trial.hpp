// A system under load, in which a scenario causes faults, and the checks that every scenario must
// pass at the end.
#pragma once

#include "tests/chaos/options.hpp"
#include "tests/chaos/report.hpp"
#include "tests/support/load.hpp"
#include "tests/support/marquee_system.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace marquee::chaos
{

class trial
{
public:
    /// Starts the system with some assets more than a new one has.
    trial(const options& run, report& into, test::marquee_system::settings with);

    ~trial(); ///< an unfinished load's numbers are in the report too
    trial(const trial&) = delete;
    trial& operator=(const trial&) = delete;

    [[nodiscard]] const options& run() const noexcept { return run_; }
    [[nodiscard]] test::marquee_system& system() noexcept { return system_; }
    [[nodiscard]] test::expected_views& expected() noexcept { return expected_; }
    [[nodiscard]] std::filesystem::path ledger() const { return system_.folder() / "ledger.ndjson"; }
    [[nodiscard]] const std::vector<test::known_asset>& assets() const noexcept { return assets_; }
    [[nodiscard]] std::uint64_t random(std::uint64_t below);

    /// Starts the viewers: through all edges, with the run's seed, until end_load().
    void begin_load(test::retrying retry, const std::function<void(test::load_settings&)>& change = {});
    void wait_a_moment(); ///< up to 20 ms, from the seed
    void
    wait_for_plays(std::uint64_t acknowledged); ///< of this load; throws where nothing is acknowledged for a minute
    [[nodiscard]] std::uint64_t acknowledged() const;
    void end_load();

    /// Does `fault` the run's number of times, each after a random number of plays, and waits for
    /// the run's number of plays.
    void strike(const std::function<void(unsigned)>& fault);

    /// kill -9, and a new start; waits until it serves.
    void kill_and_start(const std::string& name);

    /// kill -9 of the broker, and a new start.
    void kill_broker();

    /// Checks one more play, the independent recount, the counts over HTTP, and a rebuilt
    /// projection.
    void check();

    report& result;

private:
    void add_assets();
    void check_alive();
    void check_a_play();
    void check_recount(std::size_t instances);
    void check_dumps();

    options run_;
    std::mt19937_64 rng_;
    test::marquee_system system_;
    std::vector<std::string> edges_;
    std::vector<std::string> others_; ///< the processes other than edges
    std::vector<std::string> reportings_;
    std::vector<test::known_asset> assets_ = test::seed_assets();
    test::expected_views expected_;
    std::unique_ptr<test::load> load_;
};

} // namespace marquee::chaos
