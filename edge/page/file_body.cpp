#include "edge/page/file_body.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fcntl.h>
#include <sys/uio.h>

namespace marquee
{

namespace
{

constexpr std::uint64_t piece = 128 * 1024;
constexpr auto look_again = std::chrono::milliseconds(5);
constexpr int most_looks = 100;

} // namespace

file_body::file_body(const boost::asio::any_io_executor& io, folder_file file, std::uint64_t first, std::uint64_t size,
                     std::shared_ptr<void> held)
    : file_(std::move(file)), at_(first), left_(size), size_(size), held_(std::move(held)), later_(io)
{
}

std::string file_body::next()
{
    std::string text;
    if (ended())
        return text;
    text.resize(std::min(piece, left_));
    ::iovec into{text.data(), text.size()};
    const int fd = file_.descriptor.get();
    const auto offset = static_cast<::off_t>(at_);
    auto got = ::preadv2(fd, &into, 1, offset, looks_ < most_looks ? RWF_NOWAIT : 0);
    if (got < 0 && errno == EAGAIN)
    {
        ++looks_;
        ::posix_fadvise(fd, offset, static_cast<::off_t>(2 * piece), POSIX_FADV_WILLNEED);
        look_later();
        return {};
    }
    if (got < 0 && errno == EOPNOTSUPP) // not every file system can tell what it has cached
        got = ::preadv2(fd, &into, 1, offset, 0);
    if (got <= 0)
    {
        failed_ = true;
        return {};
    }
    looks_ = 0;
    text.resize(static_cast<std::size_t>(got));
    at_ += text.size();
    left_ -= text.size();
    return text;
}

void file_body::on_change(std::function<void()> changed)
{
    changed_ = std::move(changed);
    if (!changed_)
        later_.cancel();
}

void file_body::look_later()
{
    later_.expires_after(look_again);
    later_.async_wait(
        [this](boost::system::error_code ec)
        {
            if (!ec && changed_)
                changed_();
        });
}

} // namespace marquee
