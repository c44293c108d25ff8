// Writes the titles of metadata and cdnurl to a file.
#pragma once

#include "broker/nats/connection.hpp"
#include "tools/catalogue/file_format.hpp"
#include "tools/catalogue/title_list.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace marquee::catalogue_files
{

struct export_settings
{
    file_format format = file_format::csv;
    std::vector<std::string> columns; ///< of CSV; empty: those of all records
    bool views = false;               ///< a column, or member, with the count of views
    char delimiter = ',';
    std::string line_end = "\n";
    std::string separator = "|"; ///< of lists in cells
    std::chrono::milliseconds patience{30000};
};

/// One export, in byte order of the ids. On the io thread; `nats` and `out` must outlive this
/// object.
class exporter
{
public:
    exporter(connection& nats, export_settings settings, std::ostream& out);

    /// Writes all titles. Fails where a service does not answer for `patience`, with
    /// malformed_reply for records that are none, and with unavailable where the file cannot be
    /// written.
    asio::awaitable<result<void>> run();

    /// Ends run() with a failure after the title that is read.
    void stop() { stopping_ = true; }

    [[nodiscard]] std::uint64_t titles() const noexcept { return titles_; }

    /// Members that have no place: called `url`, or `views` beside the count, or of records that
    /// are newer than the header.
    [[nodiscard]] const std::set<std::string>& left_out() const noexcept { return left_out_; }

private:
    asio::awaitable<result<void>> find_columns();
    asio::awaitable<result<std::vector<listed_title>>> next(title_list& from) const;
    asio::awaitable<result<std::vector<std::uint64_t>>> views_of(const std::vector<listed_title>& titles);
    result<void> write(const listed_title& title, std::uint64_t views);
    result<void> write_cells(const listed_title& title, const std::string& url, std::uint64_t views);
    result<void> write_object(const listed_title& title, const std::string& url, std::uint64_t views);
    [[nodiscard]] bool has_place(const std::string& member);

    connection& nats_;
    export_settings settings_;
    std::ostream& out_;
    bool all_columns_;
    std::uint64_t titles_ = 0;
    std::set<std::string> left_out_;
    bool stopping_ = false;
};

} // namespace marquee::catalogue_files
