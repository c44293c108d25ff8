#include "broker/log_reporter.hpp"

#include "broker/log_quota.hpp"

#include <chrono>

namespace marquee
{

log_reporter::log_reporter(asio::io_context& io) : timer_(io) { wait(); }

log_reporter::~log_reporter() { report_left_out(true); }

void log_reporter::wait()
{
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait(
        [this](boost::system::error_code cancelled)
        {
            if (cancelled)
                return;
            report_left_out();
            wait();
        });
}

} // namespace marquee
