// Tells, while a program runs and at its end, how many lines were left out of its log.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace marquee
{

namespace asio = boost::asio;

/// Calls report_left_out() once a second on `io`, and for what is left in its destructor. Outlives what `io` runs.
class log_reporter
{
public:
    explicit log_reporter(asio::io_context& io);
    ~log_reporter();
    log_reporter(const log_reporter&) = delete;
    log_reporter& operator=(const log_reporter&) = delete;

private:
    void wait();

    asio::steady_timer timer_;
};

} // namespace marquee
