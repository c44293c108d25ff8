// A child process of a test: its output by lines, signals, its exit code. It ends with the test.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace marquee::test
{

/// Not copyable. Use from the thread that made it: the kernel kills the child when that thread
/// ends.
class process
{
public:
    /// Starts `program` (a path) with `arguments`; `environment` is added to the test's own. Throws
    /// std::runtime_error.
    process(const std::string& program, const std::vector<std::string>& arguments,
            const std::vector<std::pair<std::string, std::string>>& environment = {});
    ~process(); ///< SIGKILL, and waits
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// Waits until a line of the output (standard output and error together) holds `part`; the
    /// line, or nothing when the process ended or `limit` passed first. Looks at lines from the
    /// start each time.
    std::optional<std::string> wait_for_line(const std::string& part,
                                             std::chrono::milliseconds limit = std::chrono::seconds(20));

    /// Everything written so far.
    [[nodiscard]] std::string output() const;

    void signal(int number) const;

    /// SIGSTOP; returns once the process has stopped.
    void suspend() const;

    /// The exit code, or 128 + the signal that ended it; nothing when it still runs after `limit`.
    /// Then output() has all that it wrote.
    std::optional<int> wait(std::chrono::milliseconds limit = std::chrono::seconds(20));

    [[nodiscard]] bool running();

private:
    void read_output(int fd);

    pid_t pid_ = -1;
    int pidfd_ = -1;
    std::optional<int> code_;
    mutable std::mutex mutex_;
    std::condition_variable more_;
    std::string output_;
    bool closed_ = false;
    std::thread reader_;
};

} // namespace marquee::test
