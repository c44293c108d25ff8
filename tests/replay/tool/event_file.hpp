// A file of events: what tells its beginning from another one's, and its lines.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace marquee::replay
{

/// The first `size` bytes of a file.
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

/// Hashes a growing beginning of a regular file: each byte is read once.
class prefix_digest
{
public:
    explicit prefix_digest(std::string path);
    ~prefix_digest();
    prefix_digest(prefix_digest&&) noexcept;
    prefix_digest& operator=(prefix_digest&&) noexcept;

    /// Of the first `size` bytes; begins anew where that is less than the last time. Fails with bad_request where the file cannot be
    /// read or is shorter.
    [[nodiscard]] result<file_identity> up_to(std::uint64_t size);

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// The whole of a regular file. Fails as prefix_digest does.
[[nodiscard]] result<file_identity> identify(const std::string& path);

/// Is this a regular file, whose lines can be read again? Else it is read as a stream: `-` (standard input), a FIFO, a device. Fails
/// with bad_request where there is none, or a folder.
[[nodiscard]] result<bool> is_regular_file(const std::string& path);

/// A place between two lines.
struct file_position
{
    std::uint64_t line = 0;   ///< lines before it
    std::uint64_t offset = 0; ///< bytes before it
    friend bool operator==(const file_position&, const file_position&) = default;
};

enum class read_outcome
{
    line = 1, ///< there is a line
    end,
    later ///< a stream has no whole line yet
};

/// Reads the lines of a file or a stream. It does not wait for a stream.
class line_reader
{
public:
    /// Opens it; a FIFO waits here for its writer. Fails with bad_request where it cannot be opened, or where `from` is within a line.
    [[nodiscard]] static result<line_reader> open(const std::string& path, file_position from);

    /// The next line that is not blank, without its end (LF or CR LF). Fails with bad_request where the file begins with a byte order mark or
    /// is compressed, where a line is longer than any broker takes (64 MiB), or where reading fails.
    [[nodiscard]] result<read_outcome> next(std::string& line);

    /// After the line that next() gave.
    [[nodiscard]] file_position position() const noexcept { return at_; }

    /// Its size now; 0: a stream.
    [[nodiscard]] std::uint64_t size() const noexcept;

    /// What to wait on after `later`.
    [[nodiscard]] int handle() const noexcept { return in_.get(); }

    /// To the start of a regular file.
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
    std::size_t begin_ = 0;   ///< of what is in the buffer and not handed out
    std::size_t scanned_ = 0; ///< there is no line end before this place
    bool ended_ = false;
};

} // namespace marquee::replay
