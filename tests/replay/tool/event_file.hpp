// A file of events: what tells it from another one, and its lines.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <fstream>
#include <string>

namespace marquee::replay
{

struct file_identity
{
    std::uint64_t size = 0;
    std::string sha256; ///< lower-case hex
    friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// Reads the whole file once. Fails with bad_request where it cannot be read, or holds a line that no broker would take (over 64 MiB).
[[nodiscard]] result<file_identity> identify(const std::string& path);

/// A place between two lines.
struct file_position
{
    std::uint64_t line = 0;   ///< lines before it
    std::uint64_t offset = 0; ///< bytes before it
    friend bool operator==(const file_position&, const file_position&) = default;
};

class line_reader
{
public:
    /// The file has been identified: it can be read.
    line_reader(const std::string& path, file_position from);

    /// The next line that is not blank, without its end (LF or CR LF); false at the end of the file.
    bool next(std::string& line);

    /// After the line that next() gave.
    [[nodiscard]] file_position position() const noexcept { return at_; }

    void rewind();

private:
    std::ifstream in_;
    file_position at_;
};

} // namespace marquee::replay
