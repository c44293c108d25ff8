// From a request target to the token in a subject.
#include "edge/http/target.hpp"
#include "schemas/ids.hpp"
#include "schemas/subjects.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace marquee;
using marquee::fuzz::require;

namespace
{

void check_id(std::string_view text)
{
    const auto id = asset_id::parse(text);
    require(id.has_value() == is_valid_id(text), "an id is one by one rule");
    if (id.has_error())
        return;
    const auto token = id->token();
    constexpr auto alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-=";
    require(!token.empty() && token.find_first_not_of(alphabet) == std::string::npos, "a token is safe in a subject");
    const auto back = asset_id::from_token(token);
    require(back.has_value() && *back == *id, "a token is read back as its id");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = fuzz::text(data, size);
    check_id(input);
    if (const auto decoded = decode_token(input); decoded.has_value())
    {
        require(is_valid_id(*decoded), "what a token says is an id");
        require(encode_token(*decoded) == input, "a token is written in one way");
    }
    const auto target = parse_target(input);
    if (target.has_error())
        return 0;
    require(!target->segments.empty(), "a path has a segment");
    for (const auto& segment : target->segments)
        check_id(segment);
    for (const auto& [name, value] : target->query)
        (void)query_value(*target, name);
    (void)query_limit(*target);
    return 0;
}
