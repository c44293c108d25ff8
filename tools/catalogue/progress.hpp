// Progress on standard error.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace marquee::catalogue_files
{

/// How far a program is.
struct place
{
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0; ///< of the file
};

/// Returns `45000 rows (45 %), 9800/s, 6 s left`, or without a `size` in bytes `45000 rows,
/// 9800/s`. `rate` is in rows a second.
[[nodiscard]] std::string progress_text(const place& now, std::uint64_t size, double rate, double seconds_left);

/// Prints a line each second on a terminal, over the last one; else a line every `interval`. On the
/// io thread; what `where` refers to must outlive this object.
class progress
{
public:
    progress(boost::asio::io_context& io, std::function<place()> where, std::uint64_t size,
             std::chrono::milliseconds interval);
    ~progress();
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

private:
    using clock = std::chrono::steady_clock;

    void print_later();
    void print();

    std::function<place()> where_;
    std::uint64_t size_;
    bool terminal_;
    std::chrono::milliseconds interval_;
    clock::time_point started_ = clock::now();
    clock::time_point printed_ = started_;
    std::uint64_t rows_printed_ = 0;
    boost::asio::steady_timer timer_;
};

} // namespace marquee::catalogue_files
