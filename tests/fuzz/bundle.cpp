// Bundles of requests, which services receive from NATS.
#include "broker/micro/bundle.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace marquee;
using marquee::fuzz::require;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto items = read_bundle(fuzz::text(data, size));
    if (items.has_error())
    {
        require(items.error() == errc::bad_request, "a failure is bad_request");
        return 0;
    }
    require(items->size() <= max_bundle_items, "a bundle has its limit");
    std::string again;
    for (const auto& item : *items)
        append_to_bundle(again, item.subject, item.headers, item.data);
    const auto same = read_bundle(again);
    require(same.has_value() && same->size() == items->size(), "what was read can be written and read again");
    for (std::size_t i = 0; i < items->size(); ++i)
        require((*same)[i].subject == (*items)[i].subject && (*same)[i].data == (*items)[i].data,
                "and is the same then");
    return 0;
}
