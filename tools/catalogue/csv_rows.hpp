// Rows of CSV (RFC 4180), as libcsv finds them in its strict mode.
#pragma once

#include "tools/catalogue/byte_source.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::catalogue_files
{

inline constexpr std::size_t max_row_bytes = std::size_t(1) << 20; ///< of a row of CSV, or a line of JSON
inline constexpr std::size_t max_columns = 1000;

/// One row. Lines end with LF, CR LF or CR, and are counted from 1; blank lines are no rows.
struct csv_row
{
    std::uint64_t line = 0;          ///< where it begins
    std::vector<std::string> fields; ///< the bytes of the file, not decoded
    std::string fault;               ///< why it is no row; empty: it is one
    std::size_t fault_at = 0;        ///< the field of the fault, from 0
};

/// Reads rows, in a bounded memory. After a row with a quote in the wrong place it goes on at the
/// next line; after one that is too large, behind its end. Not thread-safe.
class csv_rows
{
public:
    csv_rows(std::unique_ptr<byte_source> source, char delimiter);
    ~csv_rows();
    csv_rows(const csv_rows&) = delete;
    csv_rows& operator=(const csv_rows&) = delete;

    /// Reads the next row, which may have a fault. Fails as byte_source::read() does.
    [[nodiscard]] result<read_outcome> next(csv_row& row, bool wait);

    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_; }
    [[nodiscard]] const byte_source& source() const noexcept { return *source_; }

private:
    struct parser;

    std::string_view take_piece();
    void feed(std::string_view piece);
    void take_field(const char* bytes, std::size_t size);
    void misplaced_quote();
    bool finish();
    void give(csv_row& row);

    std::unique_ptr<byte_source> source_;
    std::unique_ptr<parser> parser_;
    std::string_view unread_;
    std::uint64_t bytes_ = 0;
    std::uint64_t line_ = 1;       ///< of the next byte
    std::uint64_t piece_line_ = 1; ///< of the piece that is fed
    std::uint64_t field_line_ = 1; ///< where the field that is read begins
    bool after_cr_ = false;        ///< the last byte was a CR: a line feed belongs to it
    bool skipping_ = false;        ///< to the end of the line
    bool complete_ = false;
    std::size_t row_bytes_ = 0;
    csv_row row_;
};

} // namespace marquee::catalogue_files
