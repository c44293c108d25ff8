#include "tools/replay/progress_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace marquee::replay
{
namespace
{

constexpr std::string_view first_line = "marquee-replay 1";

template <class Progress>
auto numbers_of(Progress& p)
{
    return std::array{std::pair("size", &p.file.size),
                      std::pair("round", &p.round),
                      std::pair("line", &p.at.line),
                      std::pair("offset", &p.at.offset),
                      std::pair("acknowledged", &p.counts.acknowledged),
                      std::pair("duplicate", &p.counts.duplicate),
                      std::pair("rejected", &p.counts.rejected),
                      std::pair("refused", &p.counts.refused),
                      std::pair("skipped", &p.counts.skipped)};
}

std::string to_text(const replay_progress& progress)
{
    std::ostringstream out;
    out << first_line << "\nsha256 " << progress.file.sha256 << '\n';
    for (const auto& [name, value] : numbers_of(progress))
        out << name << ' ' << *value << '\n';
    return out.str();
}

bool from_text(std::istream& in, replay_progress& progress)
{
    std::string line;
    std::string word;
    if (!std::getline(in, line) || line != first_line || !(in >> word >> progress.file.sha256) || word != "sha256")
        return false;
    for (const auto& [name, value] : numbers_of(progress))
    {
        if (value == &progress.counts.skipped && (in >> std::ws).eof())
            break; // a file of a version without this number
        if (!(in >> word >> *value) || word != name)
            return false;
    }
    return progress.round > 0 && progress.at.offset <= progress.file.size;
}

error cannot_write(const std::string& path)
{
    return fail(errc::unavailable,
                path + ": cannot be written: " + std::strerror(errno)); // NOLINT(concurrency-mt-unsafe)
}

bool write_synced(const std::string& path, const std::string& text)
{
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    const bool written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fdatasync(fd) == 0;
    return ::close(fd) == 0 && written;
}

} // namespace

result<std::optional<replay_progress>> load_progress(const std::string& path)
{
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
        return std::optional<replay_progress>();
    std::ifstream in(path);
    replay_progress progress;
    if (!in || !from_text(in, progress))
        return fail(errc::bad_request, path + ": is no state of a replay");
    return std::optional(progress);
}

result<void> save_progress(const std::string& path, const replay_progress& progress)
{
    const auto fresh = path + ".new";
    if (!write_synced(fresh, to_text(progress)) || std::rename(fresh.c_str(), path.c_str()) != 0)
        return cannot_write(path);
    return {};
}

progress_saver::progress_saver(std::string path, std::string events)
    : path_(std::move(path)), digest_(std::move(events))
{
}

result<void> progress_saver::save(replay_progress& progress)
{
    saved_ = clock::now();
    saved_at_ = progress.at;
    if (path_.empty())
        return {};
    auto beginning = digest_.up_to(progress.at.offset);
    if (beginning.has_error())
        return beginning.error();
    progress.file = std::move(*beginning);
    return save_progress(path_, progress);
}

result<void> progress_saver::save_if_due(replay_progress& progress)
{
    const auto now = clock::now();
    if (now < due())
        return {};
    saved_ = now;
    return saved_at_ == progress.at ? result<void>() : save(progress);
}

} // namespace marquee::replay
