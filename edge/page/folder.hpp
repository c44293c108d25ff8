// A folder whose files are served, and nothing beyond it.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace marquee
{

/// A file descriptor, closed with this object.
class owned_descriptor
{
public:
    explicit owned_descriptor(int fd) noexcept : fd_(fd) {}
    ~owned_descriptor();
    owned_descriptor(owned_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    owned_descriptor(const owned_descriptor&) = delete;
    owned_descriptor& operator=(const owned_descriptor&) = delete;

    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// A regular file, open for reading.
struct folder_file
{
    owned_descriptor descriptor;
    std::uint64_t size = 0;
    std::string tag; ///< changes with the file's identity, size and time of change
};

/// Opens files beneath a folder with openat2(2): no path leads out of it, by no `..` and no
/// symbolic link, whoever may write in it. Thread-safe.
class folder
{
public:
    /// Fails with bad_request where it is no folder that can be read.
    [[nodiscard]] static result<folder> open(const std::string& path);

    /// The file of a path, segment by segment; nothing where there is none, where it is no regular
    /// file, and where a segment is empty, begins with a dot, or has a slash, a backslash or a
    /// control character. Does not wait for a FIFO's writer.
    [[nodiscard]] std::optional<folder_file> find(std::span<const std::string> path) const;

private:
    explicit folder(int fd) : root_(fd) {}

    owned_descriptor root_;
};

/// Whether all segments can be names of files that are served: see folder::find().
[[nodiscard]] bool is_served_path(std::span<const std::string> path) noexcept;

} // namespace marquee
