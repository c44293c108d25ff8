#include "tools/catalogue/seen_ids.hpp"

#include <openssl/sha.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace marquee::catalogue_files
{
namespace
{

error failed(const std::string& what)
{
    return fail(errc::unavailable,
                "the temporary file of ids (TMPDIR): " + what + ": " +
                    std::strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
}

/// A file without a name, gone when it is closed; -1 with errno.
int temporary_file()
{
    const char* folder = std::getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): nobody writes it
    std::string name = std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/marquee-import-XXXXXX";
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0)
        ::unlink(name.c_str());
    return fd;
}

} // namespace

seen_ids::seen_ids(std::size_t max_memory) : max_memory_(max_memory), memory_(std::size_t(1) << bits_) {}

seen_ids::~seen_ids()
{
    if (fd_ >= 0)
        ::close(fd_);
}

seen_ids::slot seen_ids::slot_of(std::string_view id)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(id.data()), id.size(), digest.data());
    slot made;
    std::memcpy(&made.first, digest.data(), sizeof made.first);
    std::memcpy(&made.second, digest.data() + sizeof made.first, sizeof made.second);
    return made;
}

std::size_t seen_ids::index_of(const slot& what) const noexcept
{
    return static_cast<std::size_t>(what.first >> (64U - bits_));
}

result<void> seen_ids::load(std::size_t index, bucket& into) const
{
    if (fd_ < 0)
    {
        into = memory_[index];
        return {};
    }
    const auto read = ::pread(fd_, &into, sizeof into, static_cast<off_t>(index * sizeof into));
    if (read != static_cast<ssize_t>(sizeof into))
        return failed("read");
    return {};
}

result<void> seen_ids::store(std::size_t index, const bucket& from)
{
    if (fd_ < 0)
    {
        memory_[index] = from;
        return {};
    }
    const auto written = ::pwrite(fd_, &from, sizeof from, static_cast<off_t>(index * sizeof from));
    if (written != static_cast<ssize_t>(sizeof from))
        return failed("write");
    return {};
}

/// Doubles the number of buckets: each is split by the next bit of its digests.
result<void> seen_ids::grow()
{
    seen_ids larger(max_memory_);
    larger.bits_ = bits_ + 1;
    larger.memory_.clear();
    const auto buckets = std::size_t(1) << larger.bits_;
    if (buckets * sizeof(bucket) <= max_memory_)
        larger.memory_.resize(buckets);
    else if (larger.fd_ = temporary_file(); larger.fd_ < 0)
        return failed("open");
    const auto whole = std::make_unique<bucket>();
    for (std::size_t i = 0; i < buckets / 2; ++i)
    {
        if (auto loaded = load(i, *whole); loaded.has_error())
            return loaded;
        const auto halves = std::make_unique<std::array<bucket, 2>>();
        std::array<std::size_t, 2> used{};
        for (const auto& each : whole->at)
            if (each.line > 0)
            {
                const auto half = larger.index_of(each) & 1U;
                (*halves)[half].at[used[half]++] = each;
            }
        for (const std::size_t half : {0U, 1U})
            if (auto stored = larger.store(2 * i + half, (*halves)[half]); stored.has_error())
                return stored;
    }
    std::swap(bits_, larger.bits_);
    std::swap(memory_, larger.memory_);
    std::swap(fd_, larger.fd_);
    return {};
}

result<std::optional<std::uint64_t>> seen_ids::insert(std::string_view id, std::uint64_t line)
{
    auto wanted = slot_of(id);
    wanted.line = line;
    for (;;)
    {
        bucket all;
        const auto index = index_of(wanted);
        if (const auto loaded = load(index, all); loaded.has_error())
            return loaded.error();
        for (auto& each : all.at)
        {
            if (each.line == 0)
            {
                each = wanted;
                if (const auto stored = store(index, all); stored.has_error())
                    return stored.error();
                ++size_;
                return std::optional<std::uint64_t>();
            }
            if (each.first == wanted.first && each.second == wanted.second)
                return std::optional<std::uint64_t>(each.line);
        }
        if (auto grown = grow(); grown.has_error())
            return grown.error();
    }
}

result<std::optional<std::uint64_t>> seen_ids::find(std::string_view id)
{
    const auto wanted = slot_of(id);
    bucket all;
    if (const auto loaded = load(index_of(wanted), all); loaded.has_error())
        return loaded.error();
    for (const auto& each : all.at)
        if (each.line > 0 && each.first == wanted.first && each.second == wanted.second)
            return std::optional<std::uint64_t>(each.line);
    return std::optional<std::uint64_t>();
}

} // namespace marquee::catalogue_files
