// Marquee's processes for a measurement: the broker runs as ./run starts it, on a disk, and the
// process id of each is known.
#pragma once

#include "tests/bench/accounting.hpp"
#include "tests/support/marquee_system.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace marquee::bench
{

/// A folder in $TMPDIR or /tmp, removed with this object.
class temporary_folder
{
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

class bench_system
{
public:
    using arguments = std::map<std::string, test::marquee_system::arguments>;

    /// Starts the broker, then the programs named; `extra` is more arguments, by name.
    explicit bench_system(const std::vector<std::string>& names, arguments extra = {});

    /// Starts more programs.
    void start(const std::vector<std::string>& names);

    [[nodiscard]] test::marquee_system& programs() noexcept { return *programs_; }
    [[nodiscard]] std::string broker_url() { return programs_->broker().url(); }

    /// `broker` and those started by name.
    [[nodiscard]] processes all();

    /// `broker`, and one program that runs.
    [[nodiscard]] processes with_broker(const std::string& name);

private:
    temporary_folder folder_;
    std::vector<std::string> started_;
    std::unique_ptr<test::marquee_system> programs_;
    pid_t broker_ = 0;
};

/// The scheduling policy of the processes of a bench_system, for a heading.
[[nodiscard]] std::string scheduling();

/// Everything a play needs.
[[nodiscard]] std::vector<std::string> whole_system();

/// What stream EVENTS holds.
struct stream_size
{
    double messages = 0;
    double bytes = 0;
};
[[nodiscard]] stream_size events_stream(bench_system& system);

/// Bytes that reporting's database holds, its log included.
[[nodiscard]] double database_bytes(bench_system& system);

/// Events that reporting has counted, from `$SRV.STATS`.
[[nodiscard]] std::uint64_t counted_events(bench_system& system);

} // namespace marquee::bench
