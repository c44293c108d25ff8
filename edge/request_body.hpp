// The body of a request as it comes: by its length, or in chunks. Pure: no sockets.
#pragma once

#include "edge/framing.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace marquee
{

struct body_limits
{
    std::uint64_t body_bytes = 64 * 1024;
    std::size_t extension_bytes = 1024; ///< chunk extensions, all together
    std::size_t trailer_bytes = 16 * 1024;
};

/// Chunks are read byte by byte, and refused at the first byte that cannot belong to them (RFC 9112
/// section 7.1). Extensions and trailers are checked and ignored.
class request_body
{
public:
    request_body(const request_head& head, const body_limits& limits);

    /// Takes what belongs to the body from the front of `received` and returns its length: less
    /// than all only where the body is complete. Fails with bad_request or payload_too_large; then
    /// the connection must be closed.
    [[nodiscard]] result<std::size_t> take(std::string_view received);

    [[nodiscard]] bool is_complete() const noexcept { return at_ == place::end; }

    /// How many bytes are known to be missing, at least; as a hint for reading.
    [[nodiscard]] std::uint64_t missing() const noexcept { return at_ == place::data || at_ == place::whole ? left_ : 1; }

    /// The content.
    [[nodiscard]] std::string& text() noexcept { return text_; }

private:
    enum class place
    {
        whole, ///< in a body with a length
        size,
        extension,           ///< behind a size, a value or a closing quote
        extension_blanks,    ///< likewise, behind blanks
        extension_start,     ///< behind a semicolon
        extension_name,      ///< in it
        extension_name_ends, ///< in blanks behind it
        value_start,         ///< behind an equals sign
        value,
        quoted,
        escaped,
        size_line_feed,
        data,
        data_return,
        data_line_feed,
        trailer, ///< at the start of a line
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
    std::uint64_t left_ = 0; ///< of the body or the chunk
    int digits_ = 0;         ///< of a chunk's size
    std::size_t extensions_ = 0;
    std::size_t trailers_ = 0;
    std::string trailer_; ///< the name of the one under way
    std::string text_;
};

} // namespace marquee
