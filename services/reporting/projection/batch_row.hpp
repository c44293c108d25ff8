// A row for the ids of one message of an edge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace marquee
{

/// A set of line numbers, as bytes for the database: line 0 is the lowest bit of the first byte.
class line_set
{
public:
    void add(std::size_t line)
    {
        if (line / 8 >= bytes_.size())
            bytes_.resize(line / 8 + 1, '\0');
        bytes_[line / 8] = static_cast<char>(static_cast<unsigned char>(bytes_[line / 8]) | (1U << (line % 8)));
    }
    [[nodiscard]] bool has(std::size_t line) const noexcept { return has(bytes_, line); }
    [[nodiscard]] static bool has(std::string_view bytes, std::size_t line) noexcept
    {
        return line / 8 < bytes.size() && (static_cast<unsigned char>(bytes[line / 8]) >> (line % 8) & 1U) != 0;
    }
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

private:
    std::string bytes_;
};

/// The ids `BATCH.LINE` that the message at `sequence` took, each in the line that it names.
struct batch_row
{
    std::string batch; ///< 26 characters
    std::uint64_t sequence = 0;
    std::int64_t time = 0; ///< timestamp of the message, nanoseconds
    line_set lines;
};

} // namespace marquee
