// JSON as clients and services send it. The first byte chooses the message.
#include "schemas/json.hpp"
#include "schemas/messages.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace marquee;
using marquee::fuzz::require;

namespace
{

template <class T>
void check(std::string_view input)
{
    const auto message = decode<T>(input);
    if (message.has_error())
    {
        require(message.error() == errc::bad_request, "a failure is bad_request");
        return;
    }
    const auto text = encode(*message);
    const auto again = decode<T>(text);
    require(again.has_value(), "what was read can be written and read again");
    require(encode(*again) == text, "and is the same then");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto input = fuzz::text(data, size);
    constexpr void (*checks[])(std::string_view) = {check<asset_metadata>,
                                                    check<asset_url>,
                                                    check<list_request>,
                                                    check<top_request>,
                                                    check<asset_metadata_reply>,
                                                    check<asset_url_reply>,
                                                    check<put_reply>,
                                                    check<error_reply>,
                                                    check<metadata_page>,
                                                    check<url_page>,
                                                    check<views_reply>,
                                                    check<top_reply>,
                                                    check<counts_reply>,
                                                    check<play_event_json>,
                                                    check<play_reply>,
                                                    check<problem>,
                                                    check<pub_ack>,
                                                    check<series_request>,
                                                    check<series_reply>,
                                                    check<history_request>,
                                                    check<history_page>,
                                                    check<views_page>,
                                                    check<correction>};
    checks[fuzz::choice(input) % std::size(checks)](input);
    return 0;
}
