// The half of an import that reads the records that stand, and puts others.
#include "schemas/record_lines.hpp"
#include "schemas/subjects.hpp"
#include "tools/catalogue/asking.hpp"
#include "tools/catalogue/importer.hpp"

#include <cstdlib>
#include <utility>

namespace marquee::catalogue_files
{
namespace
{

/// Half of what the connection buffers before it refuses, so that it never does.
constexpr std::size_t max_bytes_in_flight = 512 << 10;
constexpr std::size_t overhead = 256; ///< bytes of a message on the wire beyond its payload

asset_id id_of(const title_row& row) { return asset_id::parse(row.id).value(); } // the reader has checked it

deadline request_deadline() { return deadline::in(request_timeout); }

} // namespace

/// Sends the requests for the records of the rows that are not settled.
void importer::start_reading(batch& of)
{
    of.read.clear();
    of.metadata.reset();
    of.urls.reset();
    of.failed.reset();
    std::string tokens;
    bool metadata = false;
    bool urls = false;
    for (std::size_t i = 0; i < of.rows.size(); ++i)
    {
        const auto& each = of.rows[i];
        if (each.settled())
            continue;
        of.read.push_back(i);
        (tokens += id_of(each.row).token()) += '\n';
        metadata = metadata || each.metadata.wanted;
        urls = urls || each.url.wanted;
    }
    if (metadata)
        of.metadata = call_service(nats_.requests(), subjects::metadata_gets(), tokens, {}, request_deadline());
    if (urls)
        of.urls = call_service(nats_.requests(), subjects::cdnurl_gets(), tokens, {}, request_deadline());
}

/// Reads a record that found no room in the reply for many; `reply` keeps its text.
asio::awaitable<result<importer::standing>> importer::stands_alone(const work& of, bool metadata, message& reply)
{
    const auto id = id_of(of.row);
    auto asking = ask(nats_, metadata ? subjects::metadata_get(id) : subjects::cdnurl_get(id), {}, request_timeout);
    auto answer = co_await std::move(asking);
    if (answer.has_error() && answer.error() == errc::asset_not_found)
        co_return standing();
    if (answer.has_error())
        co_return answer.error();
    reply = std::move(*answer);
    const auto number = reply.headers.get(names::header_revision);
    const auto revision = std::strtoull(std::string(number).c_str(), nullptr, 10);
    if (revision == 0)
        co_return fail(errc::malformed_reply, "a record without a revision");
    co_return standing{revision, reply.data};
}

/// Receives the records of start_reading(), and puts what differs. A failure that may pass leaves
/// rows unsettled.
asio::awaitable<result<void>> importer::compare(batch& of)
{
    message replies[2];
    std::vector<record_line> lines[2];
    for (const std::size_t which : {0U, 1U})
    {
        const auto& pending = which == 0 ? of.metadata : of.urls;
        if (!pending)
            continue;
        const auto service = which == 0 ? subjects::metadata_gets().str() : subjects::cdnurl_gets().str();
        auto receiving = pending->receive();
        auto reply = co_await std::move(receiving);
        if (reply.has_error() && is_transient(reply.error().code))
        {
            of.failed = fail(reply.error().code, service + ": " + text_of(reply.error()));
            of.read.clear();
        }
        else if (reply.has_error())
            co_return fail(reply.error().code, service + ": " + text_of(reply.error()));
        if (of.failed)
            continue; // the other reply is received all the same
        replies[which] = std::move(*reply);
        auto read = read_record_lines(replies[which].data, of.read.size());
        if (read.has_error())
            co_return fail(read.error().code, service + ": " + text_of(read.error()));
        lines[which] = std::move(*read);
    }
    if (of.failed)
        co_return result<void>();
    last_success_ = clock::now();
    for (std::size_t i = 0; i < of.read.size(); ++i)
    {
        auto& each = of.rows[of.read[i]];
        standing stands[2];
        message alone[2];
        for (const std::size_t which : {0U, 1U})
        {
            if (lines[which].empty())
                continue;
            const auto& line = lines[which][i];
            if (line.what == record_line::kind::found)
                stands[which] = {line.revision, line.record};
            if (line.what != record_line::kind::not_here || !(which == 0 ? each.metadata : each.url).wanted)
                continue;
            auto reading = stands_alone(each, which == 0, alone[which]);
            auto found = co_await std::move(reading);
            if (found.has_error() && !is_transient(found.error().code))
                co_return found.error();
            if (found.has_error())
                of.failed = found.error();
            else
                stands[which] = *found;
        }
        if (of.failed)
            co_return result<void>();
        auto deciding = decide(of, each, stands[0], stands[1]);
        co_await std::move(deciding);
    }
    co_return result<void>();
}

asio::awaitable<void> importer::decide(batch& of, work& each, const standing& metadata, const standing& url)
{
    auto making_room = make_room(of);
    co_await std::move(making_room);
    result<put_body> record = put_body();
    result<put_body> address = put_body();
    if (each.metadata.wanted)
        record = change_metadata(metadata.text, each.row, settings_.separator);
    if (each.url.wanted)
        address = change_url(url.text, each.row);
    const bool is_new = (!each.metadata.wanted || metadata.revision == 0) && (!each.url.wanted || url.revision == 0);
    if (record.has_value() && !*record && metadata.revision == 0 && !each.url.wanted)
        record = fail(errc::bad_request, "has nothing but an id");
    for (const auto* body : {&record, &address})
        if (body->has_error() && !each.row.refused) // of both records or of none
            each.row.refused = refusal{body->error().field, text_of(body->error())};
    if (each.row.refused)
        co_return;
    const bool puts_record = change(each, each.metadata, metadata, record, true);
    const bool puts_address = change(each, each.url, url, address, false);
    if (each.what == kind::undecided)
        each.what = !puts_record && !puts_address ? kind::equal : is_new ? kind::added : kind::changed;
}

/// Puts a record, or settles it; returns whether it differs. After a put of unknown outcome the
/// record is read again: then it may be what it was, what was put, or somebody else's.
bool importer::change(work& each, target_record& part, const standing& stands, const result<put_body>& body,
                      bool metadata)
{
    const bool differs = part.wanted && body->has_value();
    if (!differs || settings_.dry_run)
    {
        part.settled = true;
        return differs;
    }
    if (part.settled)
        return false; // it was stored, and somebody changed it since
    if (part.read_revision.value_or(stands.revision) != stands.revision)
        each.row.refused = refusal{"", "somebody else has changed the record meanwhile"};
    else
        put(each, part, **body, stands.revision, metadata);
    part.read_revision = stands.revision;
    return true;
}

void importer::put(work& each, target_record& part, const std::string& body, std::uint64_t revision, bool metadata)
{
    const auto id = id_of(each.row);
    header_list headers;
    headers.set(names::header_revision, std::to_string(revision));
    part.pending = call_service(nats_.requests(), metadata ? subjects::metadata_put(id) : subjects::cdnurl_put(id),
                                body, std::move(headers), request_deadline());
    part.bytes = body.size() + overhead;
    bytes_in_flight_ += part.bytes;
}

/// Waits for puts, the oldest first, while too much is under way.
asio::awaitable<void> importer::make_room(batch& of)
{
    for (auto* all : {writing_.get(), &of})
    {
        if (all == nullptr || bytes_in_flight_ < max_bytes_in_flight)
            continue;
        auto settling = settle(*all);
        co_await std::move(settling);
    }
}

/// Waits for all puts that are under way.
asio::awaitable<void> importer::settle(batch& of)
{
    for (auto& each : of.rows)
        for (const bool metadata : {true, false})
        {
            auto settling = settle(of, each, metadata ? each.metadata : each.url, metadata);
            co_await std::move(settling);
        }
}

asio::awaitable<void> importer::settle(batch& of, work& each, target_record& part, bool metadata)
{
    if (!part.pending)
        co_return;
    const auto pending = *std::exchange(part.pending, std::nullopt);
    auto receiving = pending.receive();
    auto reply = co_await std::move(receiving);
    bytes_in_flight_ -= part.bytes;
    part.settled = reply.has_value();
    if (reply.has_value())
    {
        last_success_ = clock::now();
        co_return;
    }
    const auto& why = reply.error();
    if (is_transient(why.code))
        of.failed = why;
    else if (why == errc::revision_mismatch)
        each.row.refused = refusal{metadata ? "" : "url", "somebody else has changed the record meanwhile"};
    else
        each.row.refused = refusal{why.field, text_of(why)};
}

} // namespace marquee::catalogue_files
