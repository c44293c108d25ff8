#include "tools/catalogue/record_list.hpp"

#include "schemas/messages.hpp"
#include "tools/catalogue/asking.hpp"
#include "tools/catalogue/raw_json.hpp"

#include <utility>

namespace marquee::catalogue_files
{
namespace
{

constexpr std::uint64_t page_limit = 1000;

struct raw_page
{
    std::vector<listed_record> records;
    std::optional<std::string> next;
};

std::optional<raw_page> read_raw_page(std::string_view text)
{
    const auto members = members_of_object(text);
    if (!members)
        return std::nullopt;
    raw_page page;
    for (const auto& [name, value] : *members)
    {
        if (name == "next")
            page.next = text_of_string(value);
        if (name != "assets")
            continue;
        const auto assets = elements_of_array(value);
        if (!assets)
            return std::nullopt;
        for (const auto asset : *assets)
        {
            std::optional<std::string> id;
            if (const auto of_asset = members_of_object(asset))
                for (const auto& member : *of_asset)
                    if (member.name == "id")
                        id = text_of_string(member.value);
            if (!id)
                return std::nullopt;
            page.records.push_back({std::move(*id), std::string(asset)});
        }
    }
    return page;
}

} // namespace

asio::awaitable<result<const listed_record*>> record_list::peek()
{
    while (at_ >= page_.size() && !last_)
    {
        auto reading = read_page();
        const auto read = co_await std::move(reading);
        if (read.has_error())
            co_return read.error();
    }
    co_return at_ < page_.size() ? &page_[at_] : nullptr;
}

asio::awaitable<result<void>> record_list::read_page()
{
    list_request wanted;
    wanted.after = after_;
    wanted.limit = page_limit;
    auto asking = ask(nats_, list_, encode(wanted), patience_);
    auto reply = co_await std::move(asking);
    if (reply.has_error())
        co_return reply.error();
    auto page = read_raw_page(reply->data);
    if (!page || (page->next && after_ && *page->next <= *after_))
        co_return fail(errc::malformed_reply, list_.str() + ": the reply is no page of records");
    page_ = std::move(page->records);
    at_ = 0;
    last_ = !page->next;
    after_ = std::move(page->next);
    co_return result<void>();
}

} // namespace marquee::catalogue_files
