// Progress of a program that works through a file, on standard error.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace marquee
{

/// How far a program is.
struct progress_place
{
    std::uint64_t count = 0; ///< of what it counts
    std::uint64_t bytes = 0; ///< of the file, in this round
    std::uint64_t round = 1;
};

/// What it counts, as a plural, and the size of the file in bytes; 0: not known.
struct progress_of
{
    std::string unit;
    std::uint64_t size = 0;
};

/// Returns `45000 rows (45 %), 9800/s, 6 s left`, without a size `45000 rows, 9800/s`, and after
/// the first round with `round 2, ` in front. `rate` is a second; `seconds_left` that is not finite
/// is `waiting`.
[[nodiscard]] std::string progress_text(const progress_place& now, const progress_of& whole, double rate,
                                        double seconds_left);

/// Prints a line per `interval`, on a terminal over the last one. On the io thread; what `where`
/// refers to must outlive this object.
class progress_printer
{
public:
    progress_printer(boost::asio::io_context& io, progress_of whole, std::function<progress_place()> where,
                     std::chrono::milliseconds interval);
    ~progress_printer();
    progress_printer(const progress_printer&) = delete;
    progress_printer& operator=(const progress_printer&) = delete;

private:
    using clock = std::chrono::steady_clock;

    void print_later();
    void print();
    [[nodiscard]] double bytes_in_all(const progress_place& at) const;

    progress_of whole_;
    std::function<progress_place()> where_;
    bool terminal_;
    std::chrono::milliseconds interval_;
    clock::time_point started_ = clock::now();
    clock::time_point printed_ = started_;
    progress_place at_start_;
    std::uint64_t count_printed_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<char> alive_ = std::make_shared<char>(); ///< a handler may be queued when this object ends
};

} // namespace marquee
