#include "tests/replay/tool/event_file.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace marquee::replay
{
namespace
{

constexpr std::size_t longest_line = std::size_t(64) << 20;

/// The length of the longest line, over chunks.
class line_meter
{
public:
    void add(std::string_view chunk)
    {
        for (auto end = chunk.find('\n'); end != std::string_view::npos; end = chunk.find('\n'))
        {
            longest_ = std::max(longest_, current_ + end);
            current_ = 0;
            chunk.remove_prefix(end + 1);
        }
        current_ += chunk.size();
        longest_ = std::max(longest_, current_);
    }
    [[nodiscard]] std::size_t longest() const noexcept { return longest_; }

private:
    std::size_t current_ = 0;
    std::size_t longest_ = 0;
};

std::string hex(const unsigned char* bytes, std::size_t size)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < size; ++i)
        (out += digits[bytes[i] >> 4]) += digits[bytes[i] & 15];
    return out;
}

} // namespace

result<file_identity> identify(const std::string& path)
{
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return fail(errc::bad_request, path + ": " + std::strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
    file_identity out;
    line_meter lines;
    std::vector<char> chunk(std::size_t(1) << 20);
    while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), in.gcount() > 0)
    {
        const std::string_view read(chunk.data(), static_cast<std::size_t>(in.gcount()));
        EVP_DigestUpdate(digest.get(), read.data(), read.size());
        lines.add(read);
        out.size += read.size();
        if (lines.longest() > longest_line)
            return fail(errc::bad_request, path + ": a line of more than 64 MiB");
    }
    if (in.bad() || !in.eof())
        return fail(errc::bad_request, path + ": cannot be read");
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(digest.get(), sum.data(), &size);
    out.sha256 = hex(sum.data(), size);
    return out;
}

line_reader::line_reader(const std::string& path, file_position from) : in_(path, std::ios::binary), at_(from)
{
    in_.seekg(static_cast<std::streamoff>(from.offset));
}

bool line_reader::next(std::string& line)
{
    while (std::getline(in_, line))
    {
        ++at_.line;
        at_.offset += line.size() + (in_.eof() ? 0 : 1);
        if (line.ends_with('\r'))
            line.pop_back();
        if (!line.empty())
            return true;
    }
    return false;
}

void line_reader::rewind()
{
    in_.clear();
    in_.seekg(0);
    at_ = {};
}

} // namespace marquee::replay
