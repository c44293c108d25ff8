// A question on the terminal.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <string>

namespace marquee::catalogue_files
{

/// Asks on standard error, and reads the answer from standard input while the io_context goes on.
/// On the io thread.
class confirmation
{
public:
    explicit confirmation(boost::asio::io_context& io) : input_(io) {}

    /// True where the answer begins with y or Y; false for any other one, at the end of the input,
    /// and after cancel().
    [[nodiscard]] boost::asio::awaitable<bool> ask(std::string question);

    void cancel();

private:
    boost::asio::posix::stream_descriptor input_;
};

} // namespace marquee::catalogue_files
