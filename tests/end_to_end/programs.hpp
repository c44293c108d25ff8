// The executables as an operator runs them: command line, environment, output, exit code.
#pragma once

#include "tests/support/marquee_system.hpp"
#include "tests/support/process.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marquee::test
{

inline const std::vector<std::string> programs = {"metadata", "cdnurl", "reporting", "edge"};

using words = std::vector<std::string>;
using variables = std::vector<std::pair<std::string, std::string>>;

/// A folder of its own, gone at the end.
class temporary_folder
{
public:
    temporary_folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "marquee_programs_XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~temporary_folder() { std::filesystem::remove_all(path_); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

    /// Writes a file as a whole: it is there with all of its text, or as it was before. Nobody else
    /// may read it, so nobody is warned of it.
    std::string write(const std::string& name, const std::string& text) const
    {
        std::ofstream(file(name + ".new")) << text;
        using std::filesystem::perms;
        std::filesystem::permissions(file(name + ".new"), perms::owner_read | perms::owner_write);
        std::filesystem::rename(file(name + ".new"), file(name));
        return file(name);
    }

private:
    std::filesystem::path path_;
};

struct ended
{
    int code = -1; ///< -1: it did not end in time
    std::string output;

    [[nodiscard]] auto lines() const { return std::count(output.begin(), output.end(), '\n'); }
};

/// Runs a program to its end.
inline ended run(const std::string& name, const words& arguments, const variables& environment = {},
                 std::chrono::milliseconds limit = std::chrono::seconds(30))
{
    ended outcome;
    process one(program("marquee-" + name), arguments, environment);
    outcome.code = one.wait(limit).value_or(-1);
    (void)one.wait_for_line("\n",
                            std::chrono::seconds(10)); // in no line: returns when the output has been read to its end
    outcome.output = one.output();
    return outcome;
}

/// The arguments without which a program would use a fixed port or the current folder.
inline words in_folder(const std::string& name, const temporary_folder& folder, words arguments)
{
    if (name == "edge")
        arguments.insert(arguments.begin(), {"--listen", "127.0.0.1:0"});
    if (name == "reporting")
        arguments.insert(arguments.begin(), {"--db", folder.file("reporting.db")});
    return arguments;
}

/// Starts a program; `serves` waits until it serves.
inline std::unique_ptr<process> start(const std::string& name, const temporary_folder& folder, const words& arguments,
                                      const variables& environment = {})
{
    return std::make_unique<process>(program("marquee-" + name), in_folder(name, folder, arguments), environment);
}

inline std::optional<std::string> serves(const std::string& name, process& one)
{
    return one.wait_for_line(name == "reporting" ? "caught up" : " ready", std::chrono::seconds(60));
}

/// All programs, in the order of `programs`, and each serves.
inline std::vector<std::unique_ptr<process>> start_all(const temporary_folder& folder, const std::string& broker)
{
    std::vector<std::unique_ptr<process>> started;
    for (const auto& name : programs)
        started.push_back(start(name, folder, {"--server", broker}));
    for (std::size_t i = 0; i < started.size(); ++i)
        BOOST_TEST_REQUIRE(serves(programs[i], *started[i]).has_value(), started[i]->output());
    return started;
}

/// The port in the line with which an edge says that it is ready.
inline int port_in(const std::string& line)
{
    const std::string listen = "listen=127.0.0.1:";
    return std::stoi(line.substr(line.find(listen) + listen.size()));
}

/// What `ps` shows of a process.
inline std::string command_line_of(const process& one)
{
    std::ifstream file("/proc/" + std::to_string(one.pid()) + "/cmdline", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace marquee::test
