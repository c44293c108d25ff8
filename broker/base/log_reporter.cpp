#include "broker/base/log_reporter.hpp"

#include "broker/base/log_quota.hpp"

#include <chrono>

namespace marquee
{

log_reporter::log_reporter(asio::io_context& io) : timer_(io) { start_timer(); }

log_reporter::~log_reporter() { report_left_out(true); }

void log_reporter::start_timer()
{
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait(
        [this](boost::system::error_code cancelled)
        {
            if (cancelled)
                return;
            report_left_out();
            start_timer();
        });
}

} // namespace marquee
