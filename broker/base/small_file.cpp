#include "broker/base/small_file.hpp"

#include "broker/base/log.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace marquee
{

namespace
{

class open_file
{
public:
    explicit open_file(int descriptor) noexcept : descriptor_(descriptor) {}
    ~open_file()
    {
        if (descriptor_ >= 0)
            ::close(descriptor_);
    }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    [[nodiscard]] int get() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

std::string reason(int number)
{
    char text[128] = "";
    return ::strerror_r(number, text, sizeof text); // the GNU version
}

const char* kind_of(mode_t mode) noexcept
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode))
        return "a FIFO";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

error not_regular(const std::string& path, mode_t mode)
{
    return fail(errc::bad_request, path + " is " + kind_of(mode) + ", not a regular file");
}

error unreadable(const std::string& path, int number)
{
    return fail(errc::bad_request, "cannot read the file " + path + ": " + reason(number));
}

/// Returns whether `path` has not been reported in this state. Each thread reads the same files,
/// some repeatedly.
bool is_first_report(const std::string& path, const struct stat& of)
{
    static std::mutex mutex;
    static std::map<std::string, std::pair<std::int64_t, std::int64_t>> reported; // path, last status change
    const std::pair<std::int64_t, std::int64_t> state{of.st_ctim.tv_sec, of.st_ctim.tv_nsec};
    const std::lock_guard lock(mutex);
    return std::exchange(reported[path], state) != state;
}

void warn_if_public(const std::string& path, const struct stat& of)
{
    if ((of.st_mode & (S_IROTH | S_IWOTH)) != 0 && is_first_report(path, of))
        log(log_level::warning, "a file with a secret can be read or written by everybody", {{"file", path}});
}

/// Returns a descriptor and sets `found`, or sets `outcome` to the failure.
int open_regular(const std::string& path, struct stat& found, result<void>& outcome)
{
    if (::stat(path.c_str(), &found) != 0)
        outcome = unreadable(path, errno);
    else if (!S_ISREG(found.st_mode)) // before open(), which has effects on some devices
        outcome = not_regular(path, found.st_mode);
    if (outcome.has_error())
        return -1;
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0 || ::fstat(descriptor, &found) != 0)
        outcome = unreadable(path, errno);
    else if (!S_ISREG(found.st_mode)) // it was replaced since stat()
        outcome = not_regular(path, found.st_mode);
    return descriptor;
}

/// Returns the text, and sets `found`.
result<std::string> read_regular(const std::string& path, struct stat& found)
{
    result<void> outcome;
    const open_file file(open_regular(path, found, outcome));
    if (outcome.has_error())
        return outcome.error();
    std::string text(max_small_file_bytes + 1, '\0');
    std::size_t size = 0;
    while (size < text.size())
    {
        const auto got = ::read(file.get(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return unreadable(path, errno);
        if (got == 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    std::string exact = text.substr(0, std::min(size, max_small_file_bytes));
    OPENSSL_cleanse(text.data(), size);
    if (size > max_small_file_bytes)
        return fail(errc::bad_request, "the file " + path + " is over 1 MiB");
    return exact;
}

} // namespace

result<std::string> read_small_file(const std::string& path, secrecy what)
{
    struct stat found
    {
    };
    auto text = read_regular(path, found);
    if (text.has_value() && what == secrecy::secret)
        warn_if_public(path, found);
    return text;
}

result<file_with_mode> read_file_with_mode(const std::string& path)
{
    struct stat found
    {
    };
    auto text = read_regular(path, found);
    if (text.has_error())
        return text.error();
    return file_with_mode{std::move(*text), found.st_mode & 07777U};
}

result<void> check_small_file(const std::string& path, secrecy what)
{
    auto text = read_small_file(path, what);
    if (text.has_error())
        return text.error();
    OPENSSL_cleanse(text->data(), text->size());
    return {};
}

} // namespace marquee
