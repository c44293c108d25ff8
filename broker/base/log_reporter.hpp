// Reports periodically how many log lines were left out.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace marquee
{

namespace asio = boost::asio;

/// Calls report_left_out() once per second on `io`, and a last time in the destructor. Must outlive
/// the handlers that run on `io`.
class log_reporter
{
public:
    explicit log_reporter(asio::io_context& io);
    ~log_reporter();
    log_reporter(const log_reporter&) = delete;
    log_reporter& operator=(const log_reporter&) = delete;

private:
    void start_timer();

    asio::steady_timer timer_;
};

} // namespace marquee
