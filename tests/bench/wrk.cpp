#include "tests/bench/wrk.hpp"

#include "tests/support/process.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <unistd.h>

namespace marquee::bench
{

namespace
{

namespace fs = std::filesystem;

constexpr int requests = 20'000; ///< that are made beforehand, and repeat

/// Reads the file of its argument, a method and a path a line.
constexpr const char* script = R"lua(
local all = {}
local next = 0
function init(arguments)
    for line in io.lines(arguments[1]) do
        local method, path = line:match("^(%S+) (%S+)")
        all[#all + 1] = wrk.format(method, path)
    end
end
function request()
    next = next % #all + 1
    return all[next]
end
function done(summary, latency, all_requests)
    local e = summary.errors
    io.write(string.format("figures %d %d %d %d %d %d\n", summary.requests, summary.duration,
        e.status + e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99),
        latency:percentile(99.9)))
end
)lua";

/// A folder with the script and the requests, gone at the end.
class wrk_files
{
public:
    explicit wrk_files(const std::function<void(std::string&)>& append)
    {
        std::string pattern = (fs::temp_directory_path() / "marquee_wrk_XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("no temporary folder");
        folder_ = pattern;
        std::ofstream(script_path()) << script;
        std::ofstream out(requests_path());
        for (int i = 0; i < requests; ++i)
        {
            std::string one;
            append(one);
            out << one.substr(0, one.find("\r\n")) << '\n';
        }
    }
    ~wrk_files()
    {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    wrk_files(const wrk_files&) = delete;
    wrk_files& operator=(const wrk_files&) = delete;

    [[nodiscard]] std::string script_path() const { return folder_ / "load.lua"; }
    [[nodiscard]] std::string requests_path() const { return folder_ / "requests"; }

private:
    fs::path folder_;
};

} // namespace

figures run_wrk(int port, int connections, double seconds, const std::function<void(std::string&)>& append)
{
    const wrk_files files(append);
    const auto time = std::max(1, static_cast<int>(seconds)); // wrk knows whole seconds
    test::process wrk("/usr/bin/env",
                      {"wrk", "-t1", "-c" + std::to_string(connections), "-d" + std::to_string(time), "-s",
                       files.script_path(), "http://127.0.0.1:" + std::to_string(port), "--", files.requests_path()});
    const auto code = wrk.wait(std::chrono::seconds(time + 60));
    if (code == 127)
        throw std::runtime_error("--client wrk: wrk is not installed (package wrk)");
    const auto line = wrk.wait_for_line("figures ");
    unsigned long sent = 0, duration = 0, wrong = 0, p50 = 0, p99 = 0, p999 = 0;
    if (code != 0 || !line ||
        std::sscanf(line->c_str(), "figures %lu %lu %lu %lu %lu %lu", &sent, &duration, &wrong, &p50, &p99, &p999) != 6)
        throw std::runtime_error("wrk failed:\n" + wrk.output());
    return {{"sent", static_cast<double>(sent)},
            {"rate", static_cast<double>(sent) * 1e6 / static_cast<double>(std::max(1UL, duration))},
            {"wrong", static_cast<double>(wrong)},
            {"p50", static_cast<double>(p50)},
            {"p99", static_cast<double>(p99)},
            {"p999", static_cast<double>(p999)}};
}

} // namespace marquee::bench
