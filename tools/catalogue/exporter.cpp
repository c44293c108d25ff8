#include "tools/catalogue/exporter.hpp"

#include "broker/micro/bundling_requester.hpp"
#include "schemas/messages.hpp"
#include "schemas/subjects.hpp"
#include "tools/catalogue/asking.hpp"
#include "tools/catalogue/cells.hpp"
#include "tools/catalogue/csv_text.hpp"
#include "tools/catalogue/raw_json.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace marquee::catalogue_files
{
namespace
{

constexpr std::size_t max_titles = 256; ///< at once: what a bundle of requests for views holds

error no_record(const listed_title& title)
{
    return fail(errc::malformed_reply, "the record of " + title.id + " is no JSON object");
}

} // namespace

exporter::exporter(connection& nats, export_settings settings, std::ostream& out)
    : nats_(nats), settings_(std::move(settings)), out_(out), all_columns_(settings_.columns.empty())
{
}

asio::awaitable<result<void>> exporter::run()
{
    if (settings_.format == file_format::csv)
    {
        if (all_columns_)
        {
            auto finding = find_columns();
            const auto found = co_await std::move(finding);
            if (found.has_error())
                co_return found;
        }
        auto header = settings_.columns;
        if (settings_.views && std::find(header.begin(), header.end(), "views") == header.end())
            header.emplace_back("views");
        settings_.columns = header;
        out_ << csv_line(header, settings_.delimiter) << settings_.line_end;
    }
    title_list from(nats_, settings_.patience);
    while (!stopping_)
    {
        auto reading = next(from);
        const auto titles = co_await std::move(reading);
        if (titles.has_error())
            co_return titles.error();
        if (titles->empty())
            break;
        std::vector<std::uint64_t> views(titles->size());
        if (settings_.views)
        {
            auto asking = views_of(*titles);
            auto found = co_await std::move(asking);
            if (found.has_error())
                co_return found.error();
            views = std::move(*found);
        }
        for (std::size_t i = 0; i < titles->size(); ++i)
            if (const auto written = write((*titles)[i], views[i]); written.has_error())
                co_return written;
    }
    out_.flush();
    if (!out_)
        co_return fail(errc::unavailable, "the file cannot be written");
    if (stopping_)
        co_return fail(errc::stopping, "stopped before the end");
    co_return result<void>();
}

/// Whether a member is written; `url` and `views` are the file's own.
bool exporter::has_place(const std::string& member)
{
    if (member == "id")
        return false;
    const bool own = member == "url" || (settings_.views && member == "views");
    if (own)
        left_out_.insert(member);
    return !own;
}

/// The members of all records, in the order in which they first come.
asio::awaitable<result<void>> exporter::find_columns()
{
    std::vector<std::string> found{"id", "title", "genre", "summary", "url"};
    std::set<std::string> known(found.begin(), found.end());
    title_list from(nats_, settings_.patience);
    while (!stopping_)
    {
        auto reading = from.next();
        const auto title = co_await std::move(reading);
        if (title.has_error())
            co_return title.error();
        if (!*title)
            break;
        if (!(*title)->metadata)
            continue;
        const auto members = members_of_object(*(*title)->metadata);
        if (!members)
            co_return no_record(**title);
        for (const auto& each : *members)
            if (has_place(each.name) && known.insert(each.name).second)
                found.push_back(each.name);
    }
    settings_.columns = std::move(found);
    co_return result<void>();
}

asio::awaitable<result<std::vector<listed_title>>> exporter::next(title_list& from) const
{
    std::vector<listed_title> titles;
    while (titles.size() < max_titles)
    {
        auto reading = from.next();
        auto title = co_await std::move(reading);
        if (title.has_error())
            co_return title.error();
        if (!*title)
            break;
        titles.push_back(std::move(**title));
    }
    co_return titles;
}

asio::awaitable<result<std::vector<std::uint64_t>>> exporter::views_of(const std::vector<listed_title>& titles)
{
    bundling_requester together(nats_.context(), nats_.requests());
    std::vector<pending_reply> pending;
    for (const auto& title : titles)
        pending.push_back(call_service(together, subjects::reporting_asset(asset_id::parse(title.id).value()), {}, {},
                                       deadline::in(request_timeout)));
    std::vector<std::uint64_t> views;
    for (std::size_t i = 0; i < titles.size(); ++i)
    {
        auto receiving = pending[i].receive();
        auto reply = co_await std::move(receiving);
        if (reply.has_error() && is_transient(reply.error().code))
        {
            const auto id = asset_id::parse(titles[i].id).value();
            auto asking = ask(nats_, subjects::reporting_asset(id), {}, settings_.patience);
            reply = co_await std::move(asking);
        }
        if (reply.has_error() && reply.error() == errc::asset_not_found)
        {
            views.push_back(0);
            continue;
        }
        if (reply.has_error())
            co_return fail(reply.error().code, "the views of " + titles[i].id + ": " + text_of(reply.error()));
        const auto count = decode_reply_about<views_reply>(reply->data, titles[i].id);
        if (count.has_error())
            co_return count.error();
        views.push_back(count->views);
    }
    co_return views;
}

result<void> exporter::write(const listed_title& title, std::uint64_t views)
{
    std::string url;
    if (title.url)
    {
        auto record = decode_reply_about<asset_url_reply>(*title.url, title.id);
        if (record.has_error())
            return record.error();
        url = std::move(record->url);
    }
    ++titles_;
    return settings_.format == file_format::csv ? write_cells(title, url, views) : write_object(title, url, views);
}

result<void> exporter::write_cells(const listed_title& title, const std::string& url, std::uint64_t views)
{
    std::map<std::string, std::string> cells;
    if (title.metadata)
    {
        const auto members = members_of_object(*title.metadata);
        if (!members)
            return no_record(title);
        for (const auto& each : *members)
            if (has_place(each.name))
                cells[each.name] = cell_of_value(each.value, settings_.separator);
    }
    cells["id"] = title.id;
    cells["url"] = url;
    if (settings_.views)
        cells["views"] = std::to_string(views);
    std::vector<std::string> line;
    for (const auto& column : settings_.columns)
    {
        auto cell = cells.extract(column);
        line.push_back(cell.empty() ? std::string() : std::move(cell.mapped()));
    }
    if (all_columns_)
        for (const auto& [name, cell] : cells)
            left_out_.insert(name);
    out_ << csv_line(line, settings_.delimiter) << settings_.line_end;
    return {};
}

result<void> exporter::write_object(const listed_title& title, const std::string& url, std::uint64_t views)
{
    out_ << "{\"id\":" << encode_string(title.id);
    if (title.metadata)
    {
        const auto members = members_of_object(*title.metadata);
        if (!members)
            return no_record(title);
        for (const auto& each : *members)
        {
            if (!has_place(each.name))
                continue;
            out_ << ',' << encode_string(each.name) << ':' << each.value;
        }
    }
    if (title.url)
        out_ << ",\"url\":" << encode_string(url);
    if (settings_.views)
        out_ << ",\"views\":" << views;
    out_ << '}' << settings_.line_end;
    return {};
}

} // namespace marquee::catalogue_files
