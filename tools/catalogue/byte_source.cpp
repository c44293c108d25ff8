#include "tools/catalogue/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace marquee::catalogue_files
{
namespace
{

constexpr std::size_t chunk_size = std::size_t(64) << 10;
constexpr std::size_t max_head = 4096;

error failed(errc code, const std::string& path)
{
    return fail(code, path + ": " + std::strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
}

class file_source final : public byte_source
{
public:
    file_source(std::string path, int fd) : path_(std::move(path)), fd_(fd), chunk_(chunk_size) {}
    ~file_source() override
    {
        if (fd_ != STDIN_FILENO)
            ::close(fd_);
    }
    file_source(const file_source&) = delete;
    file_source& operator=(const file_source&) = delete;

    /// Fails as open_file() does.
    result<void> examine()
    {
        struct stat info
        {
        };
        if (::fstat(fd_, &info) != 0)
            return failed(errc::bad_request, path_);
        if (S_ISDIR(info.st_mode))
            return fail(errc::bad_request, path_ + ": is a folder");
        regular_ = S_ISREG(info.st_mode);
        size_ = regular_ ? static_cast<std::uint64_t>(info.st_size) : 0;
        return {};
    }

    result<read_outcome> read(std::string_view& bytes, bool wait) override
    {
        if (!regular_ && !wait && !is_readable())
            return read_outcome::later;
        ssize_t count = 0;
        do
            count = ::read(fd_, chunk_.data(), chunk_.size());
        while (count < 0 && errno == EINTR);
        if (count < 0)
            return failed(errc::unavailable, path_);
        bytes = {chunk_.data(), static_cast<std::size_t>(count)};
        return count == 0 ? read_outcome::end : read_outcome::found;
    }

    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
    [[nodiscard]] int handle() const noexcept override { return fd_; }

private:
    [[nodiscard]] bool is_readable() const
    {
        pollfd one{fd_, POLLIN, 0};
        return ::poll(&one, 1, 0) > 0; // its end and an error can be read, too
    }

    std::string path_;
    int fd_;
    std::vector<char> chunk_;
    std::uint64_t size_ = 0;
    bool regular_ = false;
};

class memory_source final : public byte_source
{
public:
    memory_source(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}

    result<read_outcome> read(std::string_view& bytes, bool /*wait*/) override
    {
        bytes = std::string_view(text_).substr(at_, piece_);
        at_ += bytes.size();
        return bytes.empty() ? read_outcome::end : read_outcome::found;
    }
    [[nodiscard]] std::uint64_t size() const noexcept override { return text_.size(); }
    [[nodiscard]] int handle() const noexcept override { return -1; }

private:
    std::string text_;
    std::size_t piece_;
    std::size_t at_ = 0;
};

/// Gives out `head`, then what `rest` has.
class begun_source final : public byte_source
{
public:
    begun_source(std::string head, std::unique_ptr<byte_source> rest) : head_(std::move(head)), rest_(std::move(rest))
    {
    }

    result<read_outcome> read(std::string_view& bytes, bool wait) override
    {
        if (std::exchange(begun_, true) || head_.empty())
            return rest_->read(bytes, wait);
        bytes = head_;
        return read_outcome::found;
    }
    [[nodiscard]] std::uint64_t size() const noexcept override { return rest_->size(); }
    [[nodiscard]] int handle() const noexcept override { return rest_->handle(); }

private:
    std::string head_;
    bool begun_ = false;
    std::unique_ptr<byte_source> rest_;
};

} // namespace

result<std::unique_ptr<byte_source>> open_file(const std::string& path)
{
    const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(errc::bad_request, path);
    auto source = std::make_unique<file_source>(path == "-" ? "standard input" : path, fd);
    if (const auto fine = source->examine(); fine.has_error())
        return fine.error();
    return std::unique_ptr<byte_source>(std::move(source));
}

std::unique_ptr<byte_source> text_source(std::string text, std::size_t piece)
{
    return std::make_unique<memory_source>(std::move(text), piece);
}

result<std::unique_ptr<byte_source>> with_head(std::unique_ptr<byte_source> source, std::string& head)
{
    constexpr std::size_t longest_mark = 4;
    std::string begun;
    while (begun.size() < longest_mark)
    {
        std::string_view bytes;
        const auto read = source->read(bytes, true);
        if (read.has_error())
            return read.error();
        if (*read == read_outcome::end)
            break;
        begun += bytes;
    }
    const std::string_view start = begun;
    if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF") ||
        start.starts_with(std::string_view("\0\0\xFE\xFF", 4)))
        return fail(errc::bad_request, "the file is UTF-16 or UTF-32: save it as UTF-8");
    if (start.starts_with("\xEF\xBB\xBF"))
        begun.erase(0, 3);
    head = begun.substr(0, max_head);
    return std::unique_ptr<byte_source>(std::make_unique<begun_source>(std::move(begun), std::move(source)));
}

} // namespace marquee::catalogue_files
