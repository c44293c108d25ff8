#include "broker/program/progress.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

#include <unistd.h>

namespace marquee
{
namespace
{

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

} // namespace

std::string progress_text(const progress_place& now, const progress_of& whole, double rate, double seconds_left)
{
    std::string text;
    if (now.round > 1)
        text = "round " + std::to_string(now.round) + ", ";
    text += std::to_string(now.count) + ' ' + whole.unit;
    if (whole.size > 0)
        text += " (" + std::to_string(std::min<std::uint64_t>(now.bytes * 100 / whole.size, 100)) + " %)";
    text += ", " + std::to_string(std::llround(rate)) + "/s";
    if (whole.size == 0)
        return text;
    if (!std::isfinite(seconds_left))
        return text + ", waiting";
    return text + ", " + std::to_string(std::llround(std::ceil(seconds_left))) + " s left";
}

progress_printer::progress_printer(boost::asio::io_context& io, progress_of whole,
                                   std::function<progress_place()> where, std::chrono::milliseconds interval)
    : whole_(std::move(whole)), where_(std::move(where)), terminal_(::isatty(STDERR_FILENO) == 1), interval_(interval),
      at_start_(where_()), count_printed_(at_start_.count), timer_(io)
{
    print_later();
}

progress_printer::~progress_printer()
{
    if (terminal_ && printed_ != started_)
        std::cerr << '\n';
}

void progress_printer::print_later()
{
    timer_.expires_after(interval_);
    timer_.async_wait(
        [this, alive = std::weak_ptr(alive_)](boost::system::error_code cancelled)
        {
            if (cancelled || alive.expired())
                return;
            print();
            print_later();
        });
}

void progress_printer::print()
{
    const auto now = clock::now();
    const auto at = where_();
    const auto rate = static_cast<double>(at.count - std::exchange(count_printed_, at.count)) /
                      seconds(now - std::exchange(printed_, now));
    const auto bytes_per_second = (bytes_in_all(at) - bytes_in_all(at_start_)) / seconds(now - started_);
    const auto left =
        static_cast<double>(whole_.size - std::min(whole_.size, at.bytes)) / bytes_per_second; // 0/s: not finite
    const auto text = progress_text(at, whole_, rate, left);
    if (terminal_)
        std::cerr << '\r' << text << "\x1b[K" << std::flush;
    else
        std::cerr << text << '\n' << std::flush;
}

double progress_printer::bytes_in_all(const progress_place& at) const
{
    return static_cast<double>(at.round - 1) * static_cast<double>(whole_.size) + static_cast<double>(at.bytes);
}

} // namespace marquee
