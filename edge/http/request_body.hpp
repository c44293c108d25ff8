// The body of a request, by its length or in chunks, received piece by piece. No sockets.
#pragma once

#include "edge/http/framing.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace marquee
{

/// Per request.
struct body_limits
{
    std::uint64_t body_bytes = 64 * 1024;
    std::size_t extension_bytes = 1024; ///< of all chunk extensions together
    std::size_t trailer_bytes = 16 * 1024;
};

/// Decodes one body. Chunks (RFC 9112 section 7.1) are read byte by byte and refused at the first
/// byte that cannot be right. Extensions and trailers are checked and dropped. Not thread-safe.
class request_body
{
public:
    request_body(const request_head& head, const body_limits& limits);

    /// Takes what belongs to the body from the front of `received` and returns its length, which is
    /// less than all of it only where the body is complete. Fails with bad_request or
    /// payload_too_large; the connection must be closed then, and nothing else be called.
    [[nodiscard]] result<std::size_t> take(std::string_view received);

    [[nodiscard]] bool is_complete() const noexcept { return at_ == place::end; }

    /// How many bytes are missing at least: a hint for how much to read.
    [[nodiscard]] std::uint64_t missing() const noexcept
    {
        return at_ == place::data || at_ == place::whole ? left_ : 1;
    }

    /// The content that was received so far, without chunk framing.
    [[nodiscard]] std::string& text() noexcept { return text_; }

private:
    /// What the next byte belongs to.
    enum class place
    {
        whole, ///< a body with a length
        size,
        extension,           ///< after a size, a value or a closing quote
        extension_blanks,    ///< the same, after blanks
        extension_start,     ///< after a semicolon
        extension_name,      ///< a name's second character or later
        extension_name_ends, ///< blanks after a name
        value_start,         ///< after an equals sign
        value,
        quoted,
        escaped, ///< after a backslash in quotes
        size_line_feed,
        data,
        data_return,
        data_line_feed,
        trailer, ///< the start of a line
        trailer_name,
        trailer_value,
        trailer_line_feed,
        last_line_feed,
        end
    };

    [[nodiscard]] const char* step(char c);
    [[nodiscard]] const char* in_size(char c) noexcept;
    [[nodiscard]] const char* in_extension(char c) noexcept;
    [[nodiscard]] const char* in_trailer(char c);
    [[nodiscard]] const char* expect(char c, char wanted, place next) noexcept;
    [[nodiscard]] error refusal(const char* why) const;
    [[nodiscard]] std::string_view take_content(std::string_view received);

    body_limits limits_;
    place at_;
    std::uint64_t left_ = 0;     ///< bytes of the body or the chunk
    int digits_ = 0;             ///< of a chunk's size
    std::size_t extensions_ = 0; ///< bytes
    std::size_t trailers_ = 0;   ///< bytes
    std::string trailer_;        ///< the name of the current one
    std::string text_;
};

} // namespace marquee
