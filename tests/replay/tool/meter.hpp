// Progress for people, on standard error.
#pragma once

#include "tests/replay/tool/progress_file.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>

namespace marquee::replay
{

/// What stands in a progress line: `45000 events (45 %), 98000/s, 1 s left`; of a stream, whose `file_size` is 0, `45000 events, 98000/s`.
[[nodiscard]] std::string progress_text(const replay_progress& now, std::uint64_t file_size, double rate, double seconds_left);

/// Prints a line each `interval`, on a terminal over the last one. On the io thread; `progress` outlives it.
class meter
{
public:
    meter(boost::asio::io_context& io, const replay_progress& progress, std::uint64_t file_size,
          std::chrono::milliseconds interval);
    ~meter();
    meter(const meter&) = delete;
    meter& operator=(const meter&) = delete;

private:
    using clock = std::chrono::steady_clock;

    void print_later();
    void print();
    [[nodiscard]] double bytes() const;

    const replay_progress& progress_;
    std::uint64_t file_size_;
    std::chrono::milliseconds interval_;
    bool terminal_;
    clock::time_point started_ = clock::now();
    double bytes_at_start_;
    clock::time_point printed_ = started_;
    std::uint64_t events_printed_;
    boost::asio::steady_timer timer_;
};

} // namespace marquee::replay
