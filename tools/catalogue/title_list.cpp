#include "tools/catalogue/title_list.hpp"

#include "schemas/subjects.hpp"

#include <algorithm>
#include <utility>

namespace marquee::catalogue_files
{

title_list::title_list(connection& nats, std::chrono::milliseconds patience)
    : metadata_(nats, subjects::metadata_list(), patience), urls_(nats, subjects::cdnurl_list(), patience)
{
}

asio::awaitable<result<std::optional<listed_title>>> title_list::next()
{
    auto peeking = metadata_.peek();
    const auto metadata = co_await std::move(peeking);
    if (metadata.has_error())
        co_return metadata.error();
    auto peeking_url = urls_.peek();
    const auto url = co_await std::move(peeking_url);
    if (url.has_error())
        co_return url.error();
    if (*metadata == nullptr && *url == nullptr)
        co_return std::optional<listed_title>();
    listed_title found;
    found.id = *metadata == nullptr ? (*url)->id
               : *url == nullptr    ? (*metadata)->id
                                    : std::min((*metadata)->id, (*url)->id);
    if (*metadata != nullptr && (*metadata)->id == found.id)
    {
        found.metadata = (*metadata)->text;
        metadata_.take();
    }
    if (*url != nullptr && (*url)->id == found.id)
    {
        found.url = (*url)->text;
        urls_.take();
    }
    co_return std::optional<listed_title>(std::move(found));
}

} // namespace marquee::catalogue_files
