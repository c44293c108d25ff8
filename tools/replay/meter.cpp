#include "tools/replay/meter.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

#include <unistd.h>

namespace marquee::replay
{
namespace
{

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

} // namespace

std::string progress_text(const replay_progress& now, std::uint64_t file_size, double rate, double seconds_left)
{
    std::string text;
    if (now.round > 1)
        text = "round " + std::to_string(now.round) + ", ";
    text += std::to_string(now.counts.acknowledged) + " events";
    if (file_size > 0)
        text += " (" + std::to_string(now.at.offset * 100 / file_size) + " %)";
    text += ", " + std::to_string(std::llround(rate)) + "/s";
    if (file_size == 0)
        return text;
    if (!std::isfinite(seconds_left))
        return text + ", waiting";
    return text + ", " + std::to_string(std::llround(std::ceil(seconds_left))) + " s left";
}

meter::meter(boost::asio::io_context& io, const replay_progress& progress, std::uint64_t file_size,
             std::chrono::milliseconds interval)
    : progress_(progress), file_size_(file_size), interval_(interval), terminal_(::isatty(STDERR_FILENO) == 1),
      bytes_at_start_(bytes()), events_printed_(progress.counts.acknowledged), timer_(io)
{
    print_later();
}

meter::~meter()
{
    if (terminal_ && printed_ != started_)
        std::cerr << '\n';
}

void meter::print_later()
{
    timer_.expires_after(interval_);
    timer_.async_wait(
        [this](boost::system::error_code cancelled)
        {
            if (cancelled)
                return;
            print();
            print_later();
        });
}

void meter::print()
{
    const auto now = clock::now();
    const auto events = progress_.counts.acknowledged;
    const auto rate = static_cast<double>(events - std::exchange(events_printed_, events)) /
                      seconds(now - std::exchange(printed_, now));
    const auto bytes_per_second = (bytes() - bytes_at_start_) / seconds(now - started_);
    const auto left = static_cast<double>(file_size_ - std::min(file_size_, progress_.at.offset)) /
                      bytes_per_second; // 0/s: not finite
    const auto text = progress_text(progress_, file_size_, rate, left);
    if (terminal_)
        std::cerr << '\r' << text << "\x1b[K" << std::flush;
    else
        std::cerr << text << '\n' << std::flush;
}

/// Acknowledged, in all rounds.
double meter::bytes() const
{
    return static_cast<double>(progress_.round - 1) * static_cast<double>(file_size_) +
           static_cast<double>(progress_.at.offset);
}

} // namespace marquee::replay
