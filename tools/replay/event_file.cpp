#include "tools/replay/event_file.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace marquee::replay
{
namespace
{

constexpr std::size_t max_line_bytes = std::size_t(64) << 20;
constexpr std::size_t chunk_size = std::size_t(1) << 18;

error failed(const std::string& path)
{
    return fail(errc::bad_request, path + ": " + std::strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
}

std::string hex(const unsigned char* bytes, std::size_t size)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < size; ++i)
        (out += digits[bytes[i] >> 4]) += digits[bytes[i] & 15];
    return out;
}

ssize_t read_some(int fd, char* into, std::size_t size)
{
    for (;;)
    {
        const auto n = ::read(fd, into, size);
        if (n >= 0 || errno != EINTR)
            return n;
    }
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos; }

using digest_ptr = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>;

digest_ptr new_digest() { return {EVP_MD_CTX_new(), EVP_MD_CTX_free}; }

} // namespace

descriptor::descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

descriptor& descriptor::operator=(descriptor&& other) noexcept
{
    std::swap(fd_, other.fd_);
    return *this;
}

descriptor::~descriptor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

struct prefix_digest::state
{
    std::string path;
    descriptor in = descriptor();
    std::uint64_t size = 0;
    digest_ptr digest = new_digest();
};

prefix_digest::prefix_digest(std::string path) : state_(std::make_unique<state>()) { state_->path = std::move(path); }
prefix_digest::~prefix_digest() = default;
prefix_digest::prefix_digest(prefix_digest&&) noexcept = default;
prefix_digest& prefix_digest::operator=(prefix_digest&&) noexcept = default;

result<file_identity> prefix_digest::up_to(std::uint64_t size)
{
    auto& s = *state_;
    if (s.in.get() < 0 || size < s.size)
    {
        s.in = descriptor(::open(s.path.c_str(), O_RDONLY | O_CLOEXEC));
        if (s.in.get() < 0)
            return failed(s.path);
        EVP_DigestInit_ex(s.digest.get(), EVP_sha256(), nullptr);
        s.size = 0;
    }
    std::vector<char> chunk(chunk_size);
    while (s.size < size)
    {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), size - s.size));
        const auto n = read_some(s.in.get(), chunk.data(), wanted);
        if (n < 0)
            return failed(s.path);
        if (n == 0)
            return fail(errc::bad_request, s.path + ": is shorter than it was");
        EVP_DigestUpdate(s.digest.get(), chunk.data(), static_cast<std::size_t>(n));
        s.size += static_cast<std::uint64_t>(n);
    }
    const auto copy = new_digest(); // the original goes on
    EVP_MD_CTX_copy_ex(copy.get(), s.digest.get());
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(copy.get(), sum.data(), &length);
    return file_identity{size, hex(sum.data(), length)};
}

result<file_identity> identify(const std::string& path)
{
    struct stat info
    {
    };
    if (::stat(path.c_str(), &info) != 0)
        return failed(path);
    if (!S_ISREG(info.st_mode))
        return fail(errc::bad_request, path + ": is no regular file");
    return prefix_digest(path).up_to(static_cast<std::uint64_t>(info.st_size));
}

result<bool> is_regular_file(const std::string& path)
{
    struct stat info
    {
    };
    if ((path == "-" ? ::fstat(STDIN_FILENO, &info) : ::stat(path.c_str(), &info)) != 0)
        return failed(path);
    if (S_ISDIR(info.st_mode))
        return fail(errc::bad_request, path + ": is a folder");
    return path != "-" && S_ISREG(info.st_mode);
}

result<line_reader> line_reader::open(const std::string& path, file_position from)
{
    const auto regular = is_regular_file(path);
    if (regular.has_error())
        return regular.error();
    descriptor in(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (in.get() < 0)
        return failed(path);
    if (*regular && from.offset > 0)
    {
        std::array<char, 2> around{'\n', '\n'};
        const auto n = ::pread(in.get(), around.data(), around.size(), static_cast<off_t>(from.offset) - 1);
        if (n < 1)
            return fail(errc::bad_request, path + ": is shorter than it was");
        if (around[0] != '\n' && n == 2 && around[1] != '\n' && around[1] != '\r')
            return fail(errc::bad_request,
                        path + ": line " + std::to_string(from.line) + ", which was sent, goes on now");
        if (::lseek(in.get(), static_cast<off_t>(from.offset), SEEK_SET) < 0)
            return failed(path);
    }
    return line_reader(path, std::move(in), *regular, from);
}

line_reader::line_reader(std::string path, descriptor in, bool regular, file_position from)
    : path_(std::move(path)), in_(std::move(in)), regular_(regular), at_(from)
{
}

result<read_outcome> line_reader::next(std::string& line)
{
    for (;;)
    {
        const std::string_view all(buffer_.data(), buffer_.size());
        auto end = all.find('\n', std::max(begin_, scanned_));
        if (end == std::string_view::npos && !ended_)
        {
            scanned_ = all.size();
            if (all.size() - begin_ > max_line_bytes)
                return fail(errc::bad_request,
                            path_ + ": line " + std::to_string(at_.line + 1) + " is longer than 64 MiB");
            const auto more = read_more();
            if (more.has_error() || *more == read_outcome::later)
                return more;
            continue;
        }
        if (at_.offset == 0 && begin_ == 0)
            if (auto usable = check_start(); usable.has_error())
                return usable.error();
        if (end == std::string_view::npos && begin_ == all.size())
            return read_outcome::end;
        const bool last = end == std::string_view::npos;
        end = last ? all.size() : end;
        line.assign(all.substr(begin_, end - begin_));
        ++at_.line;
        at_.offset += line.size() + (last ? 0 : 1);
        begin_ = end + (last ? 0 : 1);
        if (is_blank(line))
            continue;
        if (line.ends_with('\r'))
            line.pop_back();
        return read_outcome::line;
    }
}

/// Returns `line` if the buffer has grown or the end was reached.
result<read_outcome> line_reader::read_more()
{
    pollfd ready{in_.get(), POLLIN, 0};
    if (!regular_ && ::poll(&ready, 1, 0) == 0)
        return read_outcome::later;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    scanned_ -= std::min(scanned_, std::exchange(begin_, 0));
    const auto size = buffer_.size();
    buffer_.resize(size + chunk_size);
    const auto n = read_some(in_.get(), buffer_.data() + size, chunk_size);
    buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0)
        return failed(path_);
    ended_ = n == 0;
    return read_outcome::line;
}

/// Names the kind of a file that is no text, instead of its first line.
result<void> line_reader::check_start() const
{
    using namespace std::string_view_literals;
    static constexpr std::pair<std::string_view, std::string_view> starts[] = {
        {"\xEF\xBB\xBF"sv, "begins with a byte order mark (UTF-8): remove its first three bytes"},
        {"\xFF\xFE"sv, "begins with a byte order mark (UTF-16): convert it to UTF-8"},
        {"\xFE\xFF"sv, "begins with a byte order mark (UTF-16): convert it to UTF-8"},
        {"\x1F\x8B"sv, "is compressed (gzip): unpack it, or send it through `zcat FILE | marquee-replay -`"},
        {"\x28\xB5\x2F\xFD"sv, "is compressed (zstd): unpack it"},
        {"\xFD"
         "7zXZ"sv,
         "is compressed (xz): unpack it"},
        {"BZh"sv, "is compressed (bzip2): unpack it"},
        {"PK\x03\x04"sv, "is a zip archive: unpack it"},
    };
    const std::string_view all(buffer_.data(), buffer_.size());
    for (const auto& [start, what] : starts)
        if (all.starts_with(start))
            return fail(errc::bad_request, path_ + ": " + std::string(what));
    return {};
}

std::uint64_t line_reader::size() const noexcept
{
    struct stat info
    {
    };
    return regular_ && ::fstat(in_.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

void line_reader::rewind()
{
    ::lseek(in_.get(), 0, SEEK_SET);
    buffer_.clear();
    begin_ = scanned_ = 0;
    ended_ = false;
    at_ = {};
}

} // namespace marquee::replay
