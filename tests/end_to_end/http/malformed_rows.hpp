// Requests that a client might send and should not: byte by byte, with what each is answered.
#pragma once

#include <string>
#include <vector>

namespace marquee::test
{

struct malformed_row
{
    std::string name;
    std::string bytes;
    std::vector<int> answers; ///< to the bytes, in order; after a refusal for the framing the connection is closed
    bool open = false;        ///< the bytes are no whole request: nothing is sent after them
};

/// What asks for a play, would it be taken.
inline const std::string malformed_play = "/play/asset/123/user/malformed";

/// Drawn from RFC 9110 and 9112, and from published work on request smuggling: each row is refused
/// by one of their rules.
[[nodiscard]] std::vector<malformed_row> malformed_rows();

/// Those that look alike and are well-formed: each is answered as any other request, and so is what
/// follows it. None is a play.
[[nodiscard]] std::vector<malformed_row> well_formed_rows();

} // namespace marquee::test
