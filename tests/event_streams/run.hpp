// marquee-replay as a test runs it.
#pragma once

#include "tests/support/process.hpp"
#include "tools/replay/progress_file.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace marquee::test
{

struct replay_outcome
{
    int code = -1;
    std::string output;
    replay::tally counts; ///< what it reported
};

class replay_run
{
public:
    replay_run(const std::string& server, const std::filesystem::path& file, const std::vector<std::string>& more = {});

    /// Waits for its end, at most two minutes. Throws std::runtime_error where there is none.
    replay_outcome wait();

    /// Waits until the state file says so, at most a minute. Throws std::runtime_error.
    replay::replay_progress wait_until(const std::function<bool(const replay::replay_progress&)>& reached);
    replay::replay_progress wait_until_beyond(std::uint64_t line);

    process& program() noexcept { return process_; }

private:
    std::filesystem::path file_;
    process process_;
};

/// The whole file, in one go.
replay_outcome replay_all(const std::string& server, const std::filesystem::path& file,
                          const std::vector<std::string>& more = {});

/// A folder of a test's own, gone at the end.
class scratch_folder
{
public:
    scratch_folder();
    ~scratch_folder();
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    std::filesystem::path write(const std::string& name, const std::string& text) const;

private:
    std::filesystem::path path_;
};

} // namespace marquee::test
