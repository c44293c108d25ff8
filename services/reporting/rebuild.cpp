#include "services/reporting/rebuild.hpp"

#include "broker/log.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/swap.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace marquee
{
namespace
{

using namespace std::chrono_literals;

constexpr auto tell_every = 5s;
constexpr std::uint64_t most_in_transaction = 32768; ///< a transaction pays by its pages: larger ones count faster
constexpr std::size_t rows_a_message = 4;            ///< an event has three: what is written keeps up with what is counted

bool is_there(const std::string& file)
{
    std::error_code ec;
    return std::filesystem::exists(file, ec);
}

/// FILE is missing and FILE.new is there: a swap that a crash cut in two, or a rebuild of a file that is gone.
result<void> end_cut_swap(const projection_settings& settings, const std::shared_ptr<file_lock>& lock)
{
    auto of_rebuild = settings;
    of_rebuild.path = file_of_rebuild(settings.path);
    {
        const auto anew = projection::open(of_rebuild, lock);
        if (anew.has_error() || !anew->progress().rebuilt)
            return {};
    }
    return swap_databases(settings.path);
}

std::string seconds_of(std::chrono::nanoseconds time) { return std::to_string(time.count() / 1'000'000'000) + " s"; }

} // namespace

result<found_counts> open_counts(const projection_settings& settings, const std::shared_ptr<file_lock>& lock, bool rebuild)
{
    const auto anew = file_of_rebuild(settings.path);
    if (!is_there(settings.path) && is_there(anew))
        if (auto ended = end_cut_swap(settings, lock); ended.has_error())
            return ended.error();
    const bool was_cut = is_there(anew);
    const bool is_new = !is_there(settings.path);
    if (is_new && was_cut)
        return found_counts{projection::none(), "there is no database " + settings.path, true};
    auto counts = projection::open(settings, lock);
    if (counts.has_error())
    {
        if (!rebuild)
            return counts.error();
        return found_counts{projection::none(), counts.error().detail, was_cut};
    }
    if (is_new || !rebuild)
        if (auto marked = counts->mark_rebuilt(rebuild); marked.has_error())
            return marked.error();
    return found_counts{std::move(*counts), "", was_cut};
}

bool start_is_gone(const stream_state& stream) noexcept
{
    return stream.first_sequence > std::max<std::uint64_t>(stream.declared_first, 1);
}

result<std::optional<std::string>> judge_rule(projection& counts, const counting_rule& wanted, const stream_state& stream)
{
    const auto by = counts.rule();
    std::optional<std::string> why;
    if (by == wanted)
        return why;
    const auto& p = counts.progress();
    const auto what =
        by.version != wanted.version
            ? "by version " + std::to_string(by.version) + " of the rule, not " + std::to_string(wanted.version)
            : "with a --dedupe-window of " + seconds_of(by.dedupe_window) + ", not " + seconds_of(wanted.dedupe_window);
    const bool same = p.applied == 0 && p.duplicates == 0; // no event has met a rule yet
    if (same || start_is_gone(stream))
    {
        if (auto taken = counts.take_over(wanted, same ? p.rule_since : p.last_sequence); taken.has_error())
            return taken.error();
        if (!same)
            log(log_level::warning,
                "counts by another rule are kept: the stream no longer has its start, so they cannot be counted anew",
                {{"counted", what}, {"up_to", std::to_string(p.last_sequence)}});
        return why;
    }
    why = "the database was counted " + what;
    return why;
}

rebuild::rebuild(connection& nats, projection_settings settings, std::shared_ptr<file_lock> lock, std::string why, handlers with)
    : nats_(nats), settings_(std::move(settings)), lock_(std::move(lock)), why_(std::move(why)), handlers_(std::move(with))
{
    settings_.path = file_of_rebuild(settings_.path);
    settings_.accept_loss = true; // what is gone is told before the swap
}

rebuild::~rebuild() { stop(); }

result<std::unique_ptr<rebuild>> rebuild::start(connection& nats, projection_settings settings, std::shared_ptr<file_lock> lock,
                                                const stream_state& stream, std::string why, handlers with)
{
    auto made = std::make_unique<rebuild>(nats, std::move(settings), std::move(lock), std::move(why), std::move(with));
    if (auto opened = made->open(stream); opened.has_error())
        return opened.error();
    log(log_level::info, "counting anew",
        {{"why", made->why_},
         {"file", made->settings_.path},
         {"after", std::to_string(made->progress_.last_sequence)},
         {"of", std::to_string(stream.last_sequence)}});
    made->consume();
    return made;
}

/// Goes on with FILE.new, or begins it.
result<void> rebuild::open(const stream_state& stream)
{
    stream_ = stream;
    counts_.reset();
    if (is_there(settings_.path))
    {
        auto begun = projection::open(settings_, lock_);
        const bool goes_on =
            begun.has_value() && begun->rule() == counting_rule{counting_version, settings_.dedupe_window} &&
            begun->progress().rule_since == 0 &&
            judge_stream({begun->progress().stream_id, begun->progress().last_sequence}, stream, last_counted::not_looked)
                    .finding != stream_finding::another;
        if (goes_on)
            counts_.emplace(std::move(*begun));
    }
    if (!counts_)
    {
        if (auto gone = delete_database(settings_.path); gone.has_error())
            return gone;
        auto opened = projection::open(settings_, lock_);
        if (opened.has_error())
            return opened.error();
        counts_.emplace(std::move(*opened));
    }
    auto attached = counts_->attach(stream);
    progress_ = counts_->progress();
    return attached;
}

void rebuild::consume()
{
    up_ = false;
    ordered_consumer::settings what;
    what.stream = std::string(names::stream_events);
    what.after = {progress_.last_sequence, progress_.last_timestamp};
    consumer_ = ordered_consumer::start(
        nats_, std::move(what), [this](std::vector<stored_message> batch) { on_batch(batch); },
        [this](bool up, const stream_state& stream) { on_state(up, stream); },
        [this](lost_place how)
        {
            if (how == lost_place::another)
                start_over(stream_);
        });
}

/// The stream is not the one that FILE.new was counted from.
void rebuild::start_over(const stream_state& stream)
{
    if (consumer_)
        consumer_->stop();
    counts_.reset();
    if (auto gone = delete_database(settings_.path); gone.has_error())
        return fail_with(gone.error());
    if (auto opened = open(stream); opened.has_error())
        return fail_with(opened.error());
    log(log_level::warning, "counting anew begins again: the stream is another one", {{"file", settings_.path}});
    asio::post(nats_.context(), // a consumer is not replaced within its own handler
               [this, alive = std::weak_ptr<int>(alive_)]
               {
                   if (alive.lock())
                       consume();
               });
}

void rebuild::on_state(bool up, const stream_state& stream)
{
    up_ = up;
    if (!up || !counts_)
        return;
    stream_ = stream;
    const auto judged = judge_stream({progress_.stream_id, progress_.last_sequence}, stream, last_counted::not_looked);
    if (judged.finding == stream_finding::another)
        return start_over(stream);
    if (auto attached = counts_->attach(stream); attached.has_error())
        return fail_with(attached.error());
    progress_ = counts_->progress();
    pending_ = stream.messages > 0 && stream.last_sequence > progress_.last_sequence
                   ? stream.last_sequence - progress_.last_sequence
                   : 0;
    handlers_.on_progress();
}

/// All of it at once, and written along in parts: what serves beside has its turns.
void rebuild::on_batch(const std::vector<stored_message>& batch)
{
    if (!counts_)
        return;
    if (auto counted = counts_->stage(batch); counted.has_error())
        return fail_with(counted.error());
    if (writing_ || counts_->uncommitted() >= most_in_transaction)
    {
        const auto done = counts_->write_some(rows_a_message * batch.size() + 1);
        if (done.has_error())
            return fail_with(done.error());
        writing_ = !*done;
    }
    progress_ = counts_->progress();
    pending_ = batch.back().pending;
    handlers_.on_progress();
}

void rebuild::fail_with(const error& why)
{
    stop();
    held_ = why.detail;
    log(log_level::error, "counting anew has stopped", {{"why", why.detail}, {"file", settings_.path}});
    handlers_.on_failure(why.detail);
}

void rebuild::tell()
{
    const auto now = std::chrono::steady_clock::now();
    if (!running() || now - told_ < tell_every)
        return;
    told_ = now;
    log(log_level::info, "counting anew",
        {{"counted", std::to_string(progress_.last_sequence)},
         {"of", std::to_string(progress_.last_sequence + pending_)},
         {"applied", std::to_string(progress_.applied)}});
}

void rebuild::stop()
{
    if (consumer_)
        consumer_->stop();
    if (counts_ && counts_->condition() == file_condition::sound)
        (void)counts_->commit();
    counts_.reset();
    if (consumer_) // perhaps within a handler of its own
        asio::post(nats_.context(), [gone = std::shared_ptr<ordered_consumer>(std::move(consumer_))] {});
}

void rebuild::hold(std::string why)
{
    stop();
    held_ = std::move(why);
}

result<void> rebuild::finish()
{
    if (auto marked = counts_->mark_rebuilt(true); marked.has_error())
        return marked;
    const auto emptied = counts_->empty_log();
    if (emptied.has_error())
        return emptied.error();
    if (!*emptied)
        return fail(errc::unavailable, "another process reads " + settings_.path);
    progress_ = counts_->progress();
    stop();
    return {};
}

boost::json::object rebuild::state() const
{
    boost::json::object data{{"why", why_},
                             {"last_sequence", progress_.last_sequence},
                             {"of", progress_.last_sequence + pending_},
                             {"applied", progress_.applied}};
    if (!held_.empty())
        data["stopped"] = held_;
    return data;
}

} // namespace marquee
