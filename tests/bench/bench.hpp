// The parts of the bench, and what they share: settings, medians, tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace marquee::bench
{

/// What makes the HTTP requests.
enum class load_client : std::uint8_t
{
    own, ///< http_load.hpp
    wrk,
};

struct settings
{
    double seconds = 5;   ///< of each run
    int alternations = 3; ///< runs of each load, one load after the other
    std::size_t size =
        1'000'000; ///< events of `replay`, records of `start`, titles of `search`; where less is usual, an upper bound
    load_client client = load_client::own; ///< of floor, play and threads
};

/// What a run measured, by name.
using figures = std::map<std::string, double>;

struct load
{
    std::string name;
    std::function<figures()> run;
};

/// Runs the loads in turn, `alternations` times, so that other work of the machine affects all of
/// them alike. Returns the median of each figure, of `wrong` the sum, in the order of the loads.
[[nodiscard]] std::vector<figures> alternate(const settings& with, const std::vector<load>& loads);

[[nodiscard]] double median(std::vector<double> values);

/// Half, nine tenths …: `part` of 0 to 1. Reorders.
[[nodiscard]] double quantile(std::vector<float>& values, double part);

/// p50, p99 and p999, in microseconds as given.
void add_latencies(figures& to, std::vector<float>& microseconds);

[[nodiscard]] std::string number(double value, int decimals = 0);

/// A Markdown table, printed by its destructor.
class table
{
public:
    table(std::string title, std::vector<std::string> columns);
    ~table();
    table(const table&) = delete;
    table& operator=(const table&) = delete;

    void row(std::vector<std::string> cells);

private:
    std::string title_;
    std::vector<std::vector<std::string>> rows_; ///< the head first
};

/// A line of text below or above tables.
void note(const std::string& text);

void floor(const settings& with);
void play(const settings& with);
void threads(const settings& with);
void get(const settings& with);
void search(const settings& with);
void replay(const settings& with);
void views(const settings& with);
void watched(const settings& with);
void start(const settings& with);
void idle(const settings& with);
void live(const settings& with);
void allocations(const settings& with);

} // namespace marquee::bench
