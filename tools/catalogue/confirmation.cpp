#include "tools/catalogue/confirmation.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <iostream>

#include <fcntl.h>
#include <unistd.h>

namespace marquee::catalogue_files
{

namespace asio = boost::asio;

asio::awaitable<bool> confirmation::ask(std::string question)
{
    std::cerr << question << " [y/N] " << std::flush;
    boost::system::error_code ec;
    input_.assign(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), ec);
    if (ec)
        co_return false;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    co_await input_.async_wait(asio::posix::stream_descriptor::wait_read, token);
    if (ec)
        co_return false;
    char answer = 0; // the terminal gives out whole lines
    co_return ::read(STDIN_FILENO, &answer, 1) == 1 && (answer == 'y' || answer == 'Y');
}

void confirmation::cancel()
{
    if (input_.is_open())
        input_.cancel();
}

} // namespace marquee::catalogue_files
