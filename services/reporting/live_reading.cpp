#include "services/reporting/live_reading.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/wait.hpp"
#include "broker/jetstream/stream_lookup.hpp"
#include "schemas/event_lines.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/live_endpoint.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace marquee
{

namespace
{

constexpr std::size_t first_reads_at_once = 4; ///< messages: full batches fill a reply soon
constexpr std::size_t most_reads_at_once = 32;
constexpr std::size_t lines_a_turn = 32;         ///< then other work of the thread has a turn
constexpr std::chrono::minutes time_to_go_on{1}; ///< for a client that is told where

using found_message = result<std::optional<stored_message>>;

/// Messages that are being read at once. A reply that comes after all were given up is dropped.
struct reads_under_way
{
    reads_under_way(const asio::any_io_executor& on, std::size_t count)
        : found(count, found_message(fail(errc::timeout))), left(count), done(on)
    {
    }

    std::vector<found_message> found;
    std::size_t left;
    asio::steady_timer done;
    bool given_up = false;
};

asio::awaitable<void> read_one(std::shared_ptr<reads_under_way> all, std::size_t number, requester* stream,
                               std::uint64_t sequence, deadline until)
{
    auto finding = find_message(*stream, std::string(names::stream_events), sequence, until);
    auto found = co_await std::move(finding);
    if (all->given_up)
        co_return;
    all->found[number] = std::move(found);
    if (--all->left == 0)
        all->done.cancel();
}

/// Messages `first` and those after it.
asio::awaitable<std::vector<found_message>> read_messages(requester* stream, std::uint64_t first, std::size_t count,
                                                          deadline until)
{
    const auto here = co_await asio::this_coro::executor;
    const auto all = std::make_shared<reads_under_way>(here, count);
    for (std::size_t i = 0; i < count; ++i)
        co_spawn_logged("reading an event", here, read_one(all, i, stream, first + i, until));
    all->done.expires_at(until.at());
    if (all->left > 0)
        co_await wait(all->done);
    all->given_up = true;
    co_return std::move(all->found);
}

/// Collects the views of messages in order.
class part_builder
{
public:
    part_builder(reporting_views& from, live_position after, std::size_t limit)
        : from_(from), limit_(limit), oldest_(oldest(from))
    {
        part_.next = after;
    }

    [[nodiscard]] bool done() const noexcept { return done_; }
    [[nodiscard]] bool full() const noexcept { return part_.views.size() >= limit_ || bytes_ >= most_live_bytes; }
    [[nodiscard]] live_position next() const noexcept { return part_.next; }
    [[nodiscard]] live_part take() { return std::move(part_); }

    /// What was read so far is all.
    void end() noexcept { done_ = true; }

    /// There is no such message, and it is no loss.
    void skip(std::uint64_t sequence) { part_.next = {sequence, live_position::whole}; }

    /// What comes next is gone; views go on after `at`. The views before it come first, alone.
    void gone(live_position at)
    {
        done_ = true;
        if (!part_.views.empty())
            return;
        part_.gap = true;
        part_.next = at;
    }

    /// Takes the message that follows; false: its events are not to be looked at.
    bool begin(const stored_message& m)
    {
        ++looked_at_;
        if (m.timestamp > oldest_)
            return m.subject == subjects::events().str();
        too_old_ = m.sequence;
        done_ = true;
        return false;
    }

    /// A message that is too old, where there are no views before it: a later one is to be found to
    /// go on with.
    [[nodiscard]] std::optional<std::uint64_t> too_old() const { return part_.views.empty() ? too_old_ : std::nullopt; }

    /// Messages up to this time are no place to go on from: they are too old, or about to be.
    [[nodiscard]] std::chrono::nanoseconds passed() const
    {
        return std::max(oldest_, forgotten_) +
               std::min<std::chrono::nanoseconds>(from_.counts.rule().dedupe_window / 8, time_to_go_on);
    }

    /// The number of events at the front of the message that were looked at before.
    [[nodiscard]] std::size_t looked_at(const stored_message& m) const
    {
        return m.sequence == part_.next.sequence && part_.next.index != live_position::whole
                   ? static_cast<std::size_t>(part_.next.index) + 1
                   : 0;
    }

    /// Takes an event of the message.
    result<void> add(const stored_message& m, const event_reader& events)
    {
        ++looked_at_;
        const bool may_be_view = events.event().has_value();
        if ((full() && may_be_view) || ++lines_ > most_lines_read)
        {
            done_ = true;
            return {};
        }
        const live_position at{m.sequence, events.line()};
        if (may_be_view)
            if (auto added = add(m, at, *events.event()); added.has_error() || done_)
                return added;
        part_.next = at;
        return {};
    }

    /// Whether other work is to have a turn now. What it does to the counts is taken as it is.
    [[nodiscard]] bool ends_turn() { return looked_at_ >= lines_a_turn && std::exchange(looked_at_, 0) > 0; }

    /// Leaves out the views of users who were erased meanwhile.
    void drop_erased()
    {
        for (const auto& erasure : from_.live.ring().erasures())
            std::erase_if(part_.views,
                          [&](const live_view& each)
                          {
                              const auto place = live_place::parse(each.id);
                              return each.user == erasure.user && place && place->at.sequence < erasure.sequence;
                          });
    }

private:
    /// Messages up to this time are a dedupe window old.
    static std::chrono::nanoseconds oldest(const reporting_views& from)
    {
        const auto window = from.counts.rule().dedupe_window;
        return window.count() == 0 ? std::chrono::nanoseconds::min() : from.counts.progress().last_timestamp - window;
    }

    result<void> add(const stored_message& m, live_position at, const event_view& event)
    {
        if (!event.id.empty())
        {
            const auto fate = from_.counts.fate_of(std::string(event.id), m.sequence, at.index, m.timestamp);
            if (fate.has_error())
                return fate.error();
            if (*fate == event_fate::forgotten)
            {
                // And so are those around it: where views go on is looked for.
                too_old_ = m.sequence;
                forgotten_ = m.timestamp;
                done_ = true;
                return {};
            }
            if (*fate != event_fate::view)
                return {};
        }
        const auto user = user_id::parse(event.user);
        const auto erased_at = from_.counts.erased_at(*user);
        if (erased_at.has_error())
            return erased_at.error();
        if (m.sequence < *erased_at) // the event stays in the stream
            return {};
        const auto of_user = from_.counts.user_views(*user);
        if (of_user.has_error())
            return of_user.error();
        if (*of_user == 0) // erased longer ago than that is known, or all was taken back
            return {};
        part_.views.push_back(
            {live_place{from_.live.epoch(), at}.text(), std::string(event.asset), std::string(event.user),
             live_time(std::chrono::milliseconds(view_time(event.time, m.timestamp))), std::nullopt, std::nullopt});
        bytes_ += event.asset.size() + event.user.size() + 128;
        return {};
    }

    reporting_views& from_;
    std::size_t limit_;
    std::chrono::nanoseconds oldest_;
    live_part part_;
    std::size_t bytes_ = 0;
    std::size_t lines_ = 0;     ///< looked at
    std::size_t looked_at_ = 0; ///< messages and lines of this turn
    std::optional<std::uint64_t> too_old_;
    std::chrono::nanoseconds forgotten_ = std::chrono::nanoseconds::min(); ///< time of too_old_, where not old
    bool done_ = false;
};

/// Takes the events of a message, some at a time.
asio::awaitable<result<void>> add_message(part_builder& builder, const stored_message& m)
{
    const auto here = co_await asio::this_coro::executor;
    if (builder.begin(m))
    {
        event_reader events(m.data);
        events.skip(builder.looked_at(m));
        while (!builder.done() && events.next())
        {
            if (auto added = builder.add(m, events); added.has_error())
                co_return added;
            if (builder.ends_turn())
                co_await asio::post(here, asio::use_awaitable);
        }
    }
    if (!builder.done())
        builder.skip(m.sequence);
    if (builder.ends_turn())
        co_await asio::post(here, asio::use_awaitable);
    co_return result<void>();
}

/// Where the stream begins now; nothing where it still has everything after `sequence`.
asio::awaitable<result<std::optional<live_position>>> begin_after(requester* stream, std::uint64_t sequence,
                                                                  deadline until)
{
    auto looking = find_stream(*stream, std::string(names::stream_events), until);
    const auto state = co_await std::move(looking);
    if (state.has_error())
        co_return state.error();
    if (sequence >= state->first_sequence)
        co_return std::optional<live_position>();
    co_return std::optional(live_position{state->first_sequence - 1, live_position::whole});
}

/// The message before the first one after `passed`, from `old`, which is not, to `last`. Where time
/// runs backwards there are several such places, and it is one of them.
asio::awaitable<result<std::uint64_t>> find_last_before(requester* stream, std::chrono::nanoseconds passed,
                                                        std::uint64_t old, std::uint64_t last, deadline until)
{
    for (auto end = std::max(last, old) + 1; end - old > 1;)
    {
        const auto middle = old + (end - old) / 2;
        auto finding = find_message(*stream, std::string(names::stream_events), middle, until);
        const auto found = co_await std::move(finding);
        if (found.has_error())
            co_return found.error();
        const auto& there = *found; // where it is gone, the next reading finds that out
        if (there && there->timestamp <= passed)
            old = middle;
        else
            end = middle;
    }
    co_return old;
}

} // namespace

asio::awaitable<result<live_part>> read_live_part(std::shared_ptr<reporting_views> from, live_position after,
                                                  std::size_t limit, deadline until)
{
    part_builder builder(*from, after, limit);
    std::optional<bool> whole; ///< whether the stream has all messages after `after`
    auto at_once = first_reads_at_once;
    for (std::size_t read = 0; read < most_messages_read && !builder.done() && !builder.full();)
    {
        const auto next = builder.next();
        const auto first = next.index == live_position::whole ? next.sequence + 1 : next.sequence;
        const auto last = std::min(from->live.ring().begin().sequence, from->counts.progress().last_sequence);
        if (first > last)
            break;
        const auto count = std::min<std::uint64_t>(std::min(at_once, most_messages_read - read), last - first + 1);
        read += count;
        at_once = std::min(2 * at_once, most_reads_at_once);
        auto reading = read_messages(from->stream, first, count, until);
        const auto messages = co_await std::move(reading);
        for (std::size_t i = 0; i < messages.size() && !builder.done(); ++i)
        {
            if (messages[i].has_error() && builder.next() == after)
                co_return messages[i].error();
            if (messages[i].has_error())
            {
                builder.end();
                break;
            }
            if (const auto& found = *messages[i])
            {
                auto adding = add_message(builder, *found);
                if (auto added = co_await std::move(adding); added.has_error())
                    co_return added.error();
                continue;
            }
            if (!whole)
            {
                auto looking = begin_after(from->stream, first + i, until);
                const auto begin = co_await std::move(looking);
                if (begin.has_error())
                    co_return begin.error();
                whole = !begin->has_value();
                if (*begin)
                    builder.gone(**begin);
            }
            if (!builder.done())
                builder.skip(first + i);
        }
    }
    if (const auto old = builder.too_old())
    {
        const auto begin = from->live.ring().begin();
        auto finding = find_last_before(from->stream, builder.passed(), *old, begin.sequence, until);
        const auto found = co_await std::move(finding);
        if (found.has_error())
            co_return found.error();
        builder.gone(std::min(live_position{*found, live_position::whole}, begin));
    }
    builder.drop_erased();
    co_return builder.take();
}

} // namespace marquee
