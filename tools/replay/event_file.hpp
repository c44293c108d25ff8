// A file of events: its identity and its lines.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace marquee::replay
{

/// Identifies the first `size` bytes of a file.
struct file_identity
{
    std::uint64_t size = 0;
    std::string sha256; ///< lower-case hex
    friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// An open file descriptor; -1: none. Move-only.
class descriptor
{
public:
    explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept;
    descriptor& operator=(descriptor&& other) noexcept;
    ~descriptor();
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// Hashes a growing prefix of a regular file; each byte is read once. Not thread-safe.
class prefix_digest
{
public:
    explicit prefix_digest(std::string path);
    ~prefix_digest();
    prefix_digest(prefix_digest&&) noexcept;
    prefix_digest& operator=(prefix_digest&&) noexcept;

    /// Identifies the first `size` bytes. Reads from the start if that is less than the last time.
    /// Fails with bad_request if the file cannot be read or is shorter.
    [[nodiscard]] result<file_identity> up_to(std::uint64_t size);

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Identifies a whole regular file. Fails as prefix_digest::up_to() does.
[[nodiscard]] result<file_identity> identify(const std::string& path);

/// Returns whether `path` is a regular file, which can be read again. A stream is `-` (standard
/// input), a FIFO or a device. Fails with bad_request if there is none, or for a directory.
[[nodiscard]] result<bool> is_regular_file(const std::string& path);

/// A position between two lines.
struct file_position
{
    std::uint64_t line = 0;   ///< lines before it
    std::uint64_t offset = 0; ///< bytes before it
    friend bool operator==(const file_position&, const file_position&) = default;
};

enum class read_outcome
{
    line = 1,
    end,
    later ///< a stream has no complete line yet
};

/// Reads the lines of a file or a stream, without waiting for a stream. Not thread-safe.
class line_reader
{
public:
    /// Opens a file; blocks on a FIFO until it has a writer. Fails with bad_request if it cannot be
    /// opened, or if `from` is within a line.
    [[nodiscard]] static result<line_reader> open(const std::string& path, file_position from);

    /// Reads the next line that is not blank, without its end (LF or CR LF). Fails with bad_request
    /// if the file begins with a byte order mark or is compressed, if a line is longer than any
    /// broker takes (64 MiB), or if reading fails.
    [[nodiscard]] result<read_outcome> next(std::string& line);

    /// The position after the last line of next().
    [[nodiscard]] file_position position() const noexcept { return at_; }

    /// The present size in bytes; 0: a stream.
    [[nodiscard]] std::uint64_t size() const noexcept;

    /// The descriptor to poll after `later`.
    [[nodiscard]] int handle() const noexcept { return in_.get(); }

    /// Goes to the start of a regular file.
    void rewind();

private:
    line_reader(std::string path, descriptor in, bool regular, file_position from);
    result<read_outcome> read_more();
    result<void> check_start() const;

    std::string path_;
    descriptor in_;
    bool regular_;
    file_position at_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;   ///< of the part of the buffer that was not returned yet
    std::size_t scanned_ = 0; ///< no line end before this
    bool ended_ = false;
};

} // namespace marquee::replay
