#include "tools/catalogue/progress.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

#include <unistd.h>

namespace marquee::catalogue_files
{
namespace
{

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

} // namespace

std::string progress_text(const place& now, std::uint64_t size, double rate, double seconds_left)
{
    std::string text = std::to_string(now.rows) + " rows";
    if (size > 0)
        text += " (" + std::to_string(std::min<std::uint64_t>(now.bytes * 100 / size, 100)) + " %)";
    text += ", " + std::to_string(std::llround(rate)) + "/s";
    if (size == 0)
        return text;
    if (!std::isfinite(seconds_left))
        return text + ", waiting";
    return text + ", " + std::to_string(std::llround(std::ceil(seconds_left))) + " s left";
}

progress::progress(boost::asio::io_context& io, std::function<place()> where, std::uint64_t size,
                   std::chrono::milliseconds interval)
    : where_(std::move(where)), size_(size), terminal_(::isatty(STDERR_FILENO) == 1),
      interval_(terminal_ ? std::min<std::chrono::milliseconds>(interval, std::chrono::seconds(1)) : interval),
      timer_(io)
{
    print_later();
}

progress::~progress()
{
    if (terminal_ && printed_ != started_)
        std::cerr << '\n';
}

void progress::print_later()
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

void progress::print()
{
    const auto now = clock::now();
    const auto at = where_();
    const auto rate = static_cast<double>(at.rows - std::exchange(rows_printed_, at.rows)) /
                      seconds(now - std::exchange(printed_, now));
    const auto left = static_cast<double>(size_ - std::min(size_, at.bytes)) * seconds(now - started_) /
                      static_cast<double>(at.bytes); // none: not finite
    const auto text = progress_text(at, size_, rate, left);
    if (terminal_)
        std::cerr << '\r' << text << "\x1b[K" << std::flush;
    else
        std::cerr << text << '\n' << std::flush;
}

} // namespace marquee::catalogue_files
