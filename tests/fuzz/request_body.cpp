// The chunks of a body, as they come in pieces of any size.
#include "edge/http/request_body.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <optional>

using namespace marquee;
using marquee::fuzz::require;

namespace
{

constexpr body_limits limits{256, 64, 128};

struct outcome
{
    std::size_t taken = 0;
    bool complete = false;
    std::optional<errc> refused;
    std::string text;
};

outcome take(std::string_view input, std::size_t piece)
{
    request_head head;
    head.chunked = true;
    request_body body(head, limits);
    outcome all;
    while (all.taken < input.size() && !body.is_complete())
    {
        const auto next = input.substr(all.taken, piece);
        const auto taken = body.take(next);
        if (taken.has_error())
        {
            all.refused = taken.error().code;
            return all;
        }
        require(*taken == next.size() || body.is_complete(), "all is taken up to the end");
        all.taken += *taken;
    }
    all.complete = body.is_complete();
    all.text = body.text();
    require(all.text.size() <= limits.body_bytes, "a body is within its limit");
    return all;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto input = fuzz::text(data, size);
    const auto piece = fuzz::choice(input) % 64 + 1;
    const auto at_once = take(input, input.size() + 1);
    const auto in_pieces = take(input, piece);
    require(at_once.refused == in_pieces.refused, "a body is refused however it comes");
    if (at_once.refused)
        return 0;
    require(at_once.taken == in_pieces.taken && at_once.complete == in_pieces.complete, "a body ends at one place");
    require(at_once.text == in_pieces.text, "a body is the same however it comes");
    require(!at_once.complete || input.substr(0, at_once.taken).ends_with("\r\n\r\n") ||
                input.substr(0, at_once.taken).ends_with("\n\r\n"),
            "a body ends with an empty line");
    return 0;
}
