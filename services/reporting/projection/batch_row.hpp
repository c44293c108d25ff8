// A row for the ids of one message of an edge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

/// The view that a line was counted as, for a retraction.
struct line_view
{
    std::uint32_t user = 0; ///< number; 0: the view was taken back
    std::uint32_t asset = 0;
    std::int64_t hour = 0; ///< of the view's time

    friend bool operator==(const line_view&, const line_view&) = default;
};

/// The views of the lines of a set, in the order of the lines, as bytes for the database. `hour` is
/// the hour of the message's timestamp, which is that of most views.
[[nodiscard]] std::string pack_views(const std::vector<line_view>& views, std::int64_t hour);

/// Nothing where the bytes cannot be that, such as for rows of an older version, which have none.
[[nodiscard]] std::vector<line_view> unpack_views(std::string_view bytes, std::int64_t hour);

/// The ids `BATCH.LINE` that the message at `sequence` took, each in the line that it names.
struct batch_row
{
    std::string batch; ///< 26 characters
    std::uint64_t sequence = 0;
    std::int64_t time = 0; ///< timestamp of the message, nanoseconds
    line_set lines;
    std::vector<line_view> views; ///< of the lines, in their order
};

} // namespace marquee
