// The lines of a file of events that cannot be sent.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <fstream>
#include <string>

namespace marquee::replay
{

/// Appends such lines to a file (--skip-bad), and warns of lines in the log. Not thread-safe.
class bad_lines
{
public:
    /// An empty `path`: no lines are skipped.
    explicit bad_lines(std::string path);

    /// Returns whether lines are skipped.
    [[nodiscard]] bool skips() const noexcept { return !path_.empty(); }

    /// Appends and flushes one line. Fails with unavailable.
    [[nodiscard]] result<void> append(const std::string& line);

    /// Fails with unavailable if the file cannot be written.
    [[nodiscard]] result<void> check() const;

    /// Logs a warning that names a line. Only the first 100 are named.
    void warn(const char* what, std::uint64_t line, const std::string& why);

private:
    std::string path_;
    std::ofstream out_;
    std::uint64_t warnings_ = 0;
};

} // namespace marquee::replay
