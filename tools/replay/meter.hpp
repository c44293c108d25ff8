// Progress on standard error.
#pragma once

#include "tools/replay/progress_file.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>

namespace marquee::replay
{

/// Returns `45000 events (45 %), 98000/s, 1 s left`, or for a stream (`file_size` 0)
/// `45000 events, 98000/s`. `rate` is in events per second.
[[nodiscard]] std::string progress_text(const replay_progress& now, std::uint64_t file_size, double rate,
                                        double seconds_left);

/// Prints a line per `interval`, on a terminal over the last one. On the io thread; `progress` must
/// outlive this object.
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
