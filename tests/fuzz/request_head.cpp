// The head of a request, as it comes in pieces of any size.
#include "edge/http/authority.hpp"
#include "edge/http/framing.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace marquee;
using marquee::fuzz::require;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto input = fuzz::text(data, size);
    const auto piece = fuzz::choice(input) % 64 + 1;
    const head_limits limits{512, 256, 8};

    std::size_t from = 0;
    const auto at_once = find_head(input, from, limits);
    from = 0;
    auto in_pieces = find_head(input.substr(0, 0), from, limits);
    for (std::size_t end = 0; end < input.size() && in_pieces.has_value() && *in_pieces == 0;)
    {
        end = std::min<std::size_t>(end + piece, input.size());
        in_pieces = find_head(input.substr(0, end), from, limits);
    }
    require(at_once.has_value() == in_pieces.has_value(), "a head is one however it comes");
    if (at_once.has_error() || *at_once == 0)
        return 0;
    require(*at_once == *in_pieces, "a head ends at one place");
    require(*at_once <= limits.header_bytes && *at_once <= input.size(), "a head is within its limit");

    const auto seen = glance_at(input.substr(0, *at_once));
    require(seen.whole, "a head that is whole is seen to be");
    const auto head = read_head(input.substr(0, *at_once), limits);
    if (head.has_error())
        return 0;
    require(head->authority.empty() || is_authority(head->authority), "a target is for an authority");
    const auto hosts = head->fields.get("Host");
    require(!hosts || is_authority(*hosts), "a Host is one");
    require(head->target == "*" || head->target.front() == '/', "a target is a path or *");
    require(head->target.size() <= limits.target_bytes && head->fields.size() <= limits.field_count, "limits are kept");
    require(!(head->chunked && head->content_length), "a body is framed in one way");
    require(!head->chunked || head->version == 11, "nothing is chunked on HTTP/1.0");
    require(head->fields.count("Content-Length") <= 1 && head->fields.count("Transfer-Encoding") <= 1,
            "framing is said once");
    require(seen.version == head->version && seen.head_only == (head->method == "HEAD"),
            "a glance sees what reading does");
    require(head->fields.count("Host") == 1 || head->version == 10, "a Host is there once");
    for (const auto& [name, value] : head->fields)
    {
        require(!name.empty() && name.find_first_of(" \t\r\n:") == std::string::npos, "a name is a token");
        require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a value is one line");
    }
    return 0;
}
