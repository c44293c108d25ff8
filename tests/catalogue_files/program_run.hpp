// marquee-import and marquee-export as a test runs them, against a system of its own.
#pragma once

#include "tests/support/marquee_system.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace marquee::test
{

struct program_outcome
{
    int code = -1;
    std::string output;

    [[nodiscard]] bool has(const std::string& part) const { return output.find(part) != std::string::npos; }
};

/// A broker, metadata and cdnurl without demo assets, and a folder.
class catalogue_fixture
{
public:
    explicit catalogue_fixture(std::vector<std::string> services = {"metadata", "cdnurl"});
    ~catalogue_fixture();
    catalogue_fixture(const catalogue_fixture&) = delete;
    catalogue_fixture& operator=(const catalogue_fixture&) = delete;

    [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }
    void write(const std::string& name, const std::string& text) const;
    [[nodiscard]] std::string read(const std::string& name) const;

    /// Runs a program to its end, at most two minutes. A word that begins with `@` is a file of the
    /// folder.
    program_outcome run(const std::string& program, const std::vector<std::string>& words);
    program_outcome import(const std::vector<std::string>& words) { return run("marquee-import", words); }
    program_outcome export_(const std::vector<std::string>& words) { return run("marquee-export", words); }

    /// The words, with --server and paths.
    [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& words) const;

    marquee_system& system() noexcept { return system_; }

private:
    std::filesystem::path folder_;
    marquee_system system_;
};

/// Waits for the end of a process, at most two minutes.
program_outcome outcome_of(process& program);

/// Titles `t00000`, `t00001`, … as CSV with columns id, title, genre, summary, url.
[[nodiscard]] std::string many_titles(std::size_t count, const std::string& summary);

/// An export without the two titles of a new bucket (contract section 3).
[[nodiscard]] std::string without_demo(std::string csv);

} // namespace marquee::test
