#include "tools/catalogue/missing_titles.hpp"

#include "schemas/record_lines.hpp"
#include "schemas/subjects.hpp"
#include "tools/catalogue/asking.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

namespace marquee::catalogue_files
{
namespace
{

constexpr std::size_t missing_at_once = 128; ///< at once: 128 ids of any kind are a request of 48 KiB

asset_id id_of(const std::string& text) { return asset_id::parse(text).value(); } // a service has stored it

} // namespace

/// The next missing titles, with revisions; none at the end.
asio::awaitable<result<std::vector<missing_titles::title>>> missing_titles::next(title_list& from)
{
    std::vector<title> all;
    while (all.size() < missing_at_once)
    {
        auto listing = from.next();
        auto listed = co_await std::move(listing);
        if (listed.has_error())
            co_return listed.error();
        if (!*listed)
            break;
        const auto seen = seen_.find((*listed)->id);
        if (seen.has_error())
            co_return seen.error();
        if (!*seen && is_valid_id((*listed)->id))
            all.push_back({std::move((*listed)->id)});
    }
    for (const bool metadata : {true, false})
    {
        if (all.empty())
            break;
        auto reading = read_revisions(all, metadata);
        const auto read = co_await std::move(reading);
        if (read.has_error())
            co_return read.error();
    }
    co_return all;
}

asio::awaitable<result<void>> missing_titles::read_revisions(std::vector<title>& of, bool metadata)
{
    std::string tokens;
    for (const auto& each : of)
        (tokens += id_of(each.id).token()) += '\n';
    auto asking = ask(nats_, metadata ? subjects::metadata_gets() : subjects::cdnurl_gets(), tokens, patience_);
    const auto reply = co_await std::move(asking);
    if (reply.has_error())
        co_return reply.error();
    const auto lines = read_record_lines(reply->data, of.size());
    if (lines.has_error())
        co_return lines.error();
    for (std::size_t i = 0; i < of.size(); ++i)
    {
        auto revision = (*lines)[i].revision;
        if ((*lines)[i].what == record_line::kind::not_here)
        {
            const auto id = id_of(of[i].id);
            auto asking_alone =
                ask(nats_, metadata ? subjects::metadata_get(id) : subjects::cdnurl_get(id), {}, patience_);
            const auto alone = co_await std::move(asking_alone);
            if (alone.has_error() && alone.error() != errc::asset_not_found)
                co_return alone.error();
            if (alone.has_value())
                revision = std::strtoull(std::string(alone->headers.get(names::header_revision)).c_str(), nullptr, 10);
        }
        (metadata ? of[i].metadata_revision : of[i].url_revision) = revision;
    }
    co_return result<void>();
}

asio::awaitable<result<missing_count>> missing_titles::count()
{
    title_list from(nats_, patience_);
    missing_count found;
    while (!stopping_)
    {
        auto reading = next(from);
        const auto all = co_await std::move(reading);
        if (all.has_error())
            co_return all.error();
        if (all->empty())
            break;
        found.titles += all->size();
        for (const auto& each : *all)
        {
            found.metadata_revision = std::max(found.metadata_revision, each.metadata_revision);
            found.url_revision = std::max(found.url_revision, each.url_revision);
        }
    }
    co_return found;
}

asio::awaitable<result<void>> missing_titles::erase(missing_count found, deletion_tally& tally)
{
    title_list from(nats_, patience_);
    while (!stopping_)
    {
        auto reading = next(from);
        auto all = co_await std::move(reading);
        if (all.has_error())
            co_return all.error();
        if (all->empty())
            break;
        auto erasing = erase_all(std::move(*all), found, tally);
        const auto erased = co_await std::move(erasing);
        if (erased.has_error())
            co_return erased;
    }
    co_return result<void>();
}

/// The metadata goes first: a title without it is listed no more, and one that keeps it keeps its
/// URL.
asio::awaitable<result<void>> missing_titles::erase_all(std::vector<title> all, const missing_count& found,
                                                        deletion_tally& tally)
{
    for (auto& each : all)
        each.kept = each.metadata_revision > found.metadata_revision || each.url_revision > found.url_revision;
    std::optional<error> failed;
    for (const bool metadata : {true, false})
    {
        auto deleting = delete_records(all, metadata);
        if (auto first = co_await std::move(deleting); first && !failed)
            failed = std::move(first);
    }
    for (const auto& each : all)
    {
        tally.kept += each.kept ? 1 : 0;
        tally.deleted += !each.kept && !each.failed ? 1 : 0;
    }
    if (failed)
        co_return *failed;
    co_return result<void>();
}

/// Of the titles that are neither kept nor failed. Returns the last failure.
asio::awaitable<std::optional<error>> missing_titles::delete_records(std::vector<title>& all, bool metadata)
{
    std::vector<std::optional<pending_reply>> pending(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
    {
        const auto revision = metadata ? all[i].metadata_revision : all[i].url_revision;
        if (all[i].kept || all[i].failed || revision == 0)
            continue;
        const auto id = id_of(all[i].id);
        header_list headers;
        headers.set(names::header_revision, std::to_string(revision));
        pending[i].emplace(call_service(nats_.requests(),
                                        metadata ? subjects::metadata_delete(id) : subjects::cdnurl_delete(id), {},
                                        std::move(headers), deadline::in(request_timeout)));
    }
    std::optional<error> failed;
    for (std::size_t i = 0; i < all.size(); ++i)
    {
        if (!pending[i])
            continue;
        auto receiving = pending[i]->receive();
        const auto reply = co_await std::move(receiving);
        if (reply.has_value() || reply.error() == errc::asset_not_found)
            continue;
        all[i].kept = reply.error() == errc::revision_mismatch;
        all[i].failed = !all[i].kept;
        if (all[i].failed)
            failed = fail(reply.error().code, "deleting " + all[i].id + ": " + text_of(reply.error()));
    }
    co_return failed;
}

} // namespace marquee::catalogue_files
