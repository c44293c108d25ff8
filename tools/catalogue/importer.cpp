#include "tools/catalogue/importer.hpp"

#include "broker/base/log.hpp"
#include "broker/base/wait.hpp"
#include "schemas/duration.hpp"
#include "tools/catalogue/asking.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include <fcntl.h>

namespace marquee::catalogue_files
{
namespace
{

using namespace std::chrono_literals;

constexpr auto first_put_pause = 50ms;
constexpr auto longest_put_pause = 2s;
constexpr std::size_t max_batch_rows = 256;
constexpr std::size_t max_batch_bytes = 128 << 10;
/// Of the ids of a request: what `gets` takes.
constexpr std::size_t max_batch_tokens = 60 << 10;

std::size_t bytes_of(const title_row& row)
{
    std::size_t bytes = row.id.size() + (row.url ? row.url->size() : 0);
    for (const auto& member : row.members)
        bytes += member.name.size() + member.raw.size() + member.cell.size();
    return bytes;
}

} // namespace

importer::importer(connection& nats, import_settings settings, title_reader& reader, seen_ids& seen, refusals& refused)
    : nats_(nats), settings_(std::move(settings)), reader_(reader), seen_(seen), refused_(refused),
      pause_(nats.context()), input_(nats.context())
{
}

asio::awaitable<result<void>> importer::run()
{
    last_success_ = clock::now();
    result<void> outcome;
    std::unique_ptr<batch> reading;
    while (outcome.has_value())
    {
        auto next = gather();
        if (next.has_error())
            outcome = next.error();
        else if (*next)
            start_reading(**next);
        if (stopping_)
            reading.reset();
        if (reading && outcome.has_value())
        {
            auto comparing = compare(*reading);
            outcome = co_await std::move(comparing);
        }
        const bool idle = !writing_ && !reading && !(next.has_value() && *next);
        if (writing_)
        {
            auto finishing = finish(*writing_, true);
            const auto finished = co_await std::move(finishing);
            if (outcome.has_value())
                outcome = finished;
        }
        writing_ = std::exchange(reading, nullptr);
        if (next.has_value())
            reading = std::move(*next);
        if (!idle)
            continue;
        if (at_end_ || stopping_)
            break;
        auto waiting = wait_for_input();
        co_await std::move(waiting);
    }
    if (writing_) // after a failure: what was sent is settled, as far as it is answered
    {
        auto finishing = finish(*writing_, false);
        const auto finished = co_await std::move(finishing);
        if (outcome.has_value())
            outcome = finished;
    }
    co_return outcome;
}

void importer::stop()
{
    stopping_ = true;
    pause_.cancel();
    if (input_.is_open())
        input_.cancel();
}

/// Reads the rows of the next batch; null where there is none now.
result<std::unique_ptr<importer::batch>> importer::gather()
{
    auto all = std::make_unique<batch>();
    std::size_t bytes = 0;
    std::size_t tokens = 0;
    while (!stopping_ && !at_end_ && all->rows.size() < max_batch_rows && bytes < max_batch_bytes &&
           tokens < max_batch_tokens)
    {
        const auto taken = take_row(*all, bytes, tokens);
        if (taken.has_error())
            return taken.error();
        if (!*taken)
            break;
    }
    if (all->rows.empty())
        all.reset();
    return all;
}

/// False: there is none now.
result<bool> importer::take_row(batch& into, std::size_t& bytes, std::size_t& tokens)
{
    work each;
    const auto read = reader_.next(each.row, false);
    if (read.has_error())
        return read.error();
    at_end_ = *read == read_outcome::end;
    if (*read != read_outcome::found)
        return false;
    if (!each.row.id.empty()) // ids of refused rows count, too: a later row of the same id is a duplicate
    {
        const auto before = seen_.insert(each.row.id, each.row.line);
        if (before.has_error())
            return before.error();
        if (*before && !each.row.refused)
            each.row.refused = refusal{"", "the id is on line " + std::to_string(**before) + ", too"};
    }
    each.metadata.wanted = !each.row.members.empty();
    each.url.wanted = each.row.url.has_value();
    if (!each.metadata.wanted && !each.url.wanted && !each.row.refused)
        each.row.refused = refusal{"", "has nothing but an id"};
    if (each.row.refused)
        each.row.members.clear();
    bytes += bytes_of(each.row) + 64;
    tokens += 3 * each.row.id.size() + 1;
    into.rows.push_back(std::move(each));
    return true;
}

/// Waits for the puts of a batch, tries again where that may help, and counts its rows.
asio::awaitable<result<void>> importer::finish(batch& of, bool again)
{
    auto settling = settle(of);
    co_await std::move(settling);
    result<void> recovered;
    if (again)
    {
        auto recovering = recover(of);
        recovered = co_await std::move(recovering);
    }
    for (auto& each : of.rows)
    {
        if (!each.settled())
            continue;
        if (each.row.refused)
        {
            ++tally_.refused;
            if (auto added = refused_.add(each.row, *each.row.refused); added.has_error())
                co_return added.error();
        }
        else
            ++(each.what == kind::added ? tally_.added : each.what == kind::changed ? tally_.changed : tally_.equal);
    }
    of.rows.clear();
    co_return recovered;
}

/// Reads and puts again what is not settled, with a growing pause, until all is.
asio::awaitable<result<void>> importer::recover(batch& of)
{
    const auto is_settled = [](const work& each) { return each.settled(); };
    auto backoff = std::chrono::milliseconds(first_put_pause);
    bool said = false;
    while (!std::all_of(of.rows.begin(), of.rows.end(), is_settled))
    {
        const auto why = of.failed.value_or(fail(errc::unavailable));
        if (!std::exchange(said, true))
            log(log_level::warning, "not answered: trying again", {{"reason", text_of(why)}});
        const auto until = last_success_ + settings_.patience;
        if (stopping_)
            co_return result<void>();
        if (clock::now() >= until)
            co_return fail(why.code, "no answer for " + to_text(settings_.patience) + ": " + text_of(why));
        auto waiting = wait(pause_, std::min<clock::time_point>(clock::now() + backoff, until));
        co_await std::move(waiting);
        backoff = std::min(2 * backoff, std::chrono::milliseconds(longest_put_pause));
        start_reading(of);
        auto comparing = compare(of);
        const auto compared = co_await std::move(comparing);
        if (compared.has_error())
            co_return compared;
        auto settling = settle(of);
        co_await std::move(settling);
    }
    co_return result<void>();
}

asio::awaitable<void> importer::wait_for_input()
{
    boost::system::error_code ec;
    if (!input_.is_open())
        input_.assign(::fcntl(reader_.source().handle(), F_DUPFD_CLOEXEC, 0), ec);
    if (ec) // a device that cannot be polled
    {
        auto waiting = wait(pause_, clock::now() + first_put_pause);
        co_await std::move(waiting);
        co_return;
    }
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    co_await input_.async_wait(asio::posix::stream_descriptor::wait_read, token);
}

} // namespace marquee::catalogue_files
