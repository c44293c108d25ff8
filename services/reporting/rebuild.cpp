#include "services/reporting/rebuild.hpp"

#include "broker/base/log.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/projection/swap.hpp"

#include <boost/asio/post.hpp>

#include <filesystem>
#include <utility>

namespace marquee
{
namespace
{

using namespace std::chrono_literals;

constexpr auto log_period = 5s;
constexpr std::uint64_t rebuilt_at_once = 32768; ///< events a transaction: larger ones count faster
constexpr std::size_t rows_an_event = 8;         ///< it has seven at most: writing keeps up with counting

} // namespace

rebuild::rebuild(private_tag, connection& nats, projection_settings settings, std::shared_ptr<file_lock> lock,
                 std::string why, handlers with)
    : nats_(nats), settings_(std::move(settings)), lock_(std::move(lock)), why_(std::move(why)),
      handlers_(std::move(with))
{
    settings_.path = file_of_rebuild(settings_.path);
    settings_.accept_loss = true; // the caller of finish() decides on what is gone
}

rebuild::~rebuild() { stop(); }

result<std::shared_ptr<rebuild>> rebuild::start(connection& nats, projection_settings settings,
                                                std::shared_ptr<file_lock> lock, const stream_state& stream,
                                                std::string why, handlers with)
{
    auto made = std::make_shared<rebuild>(private_tag(), nats, std::move(settings), std::move(lock), std::move(why),
                                          std::move(with));
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

result<void> rebuild::open(const stream_state& stream)
{
    stream_ = stream;
    counts_.reset();
    if (!continue_file(stream))
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

/// Takes up a FILE.new that was begun by the present rule and of this stream; false where there is
/// none.
bool rebuild::continue_file(const stream_state& stream)
{
    std::error_code ec;
    if (!std::filesystem::exists(settings_.path, ec))
        return false;
    auto begun = projection::open(settings_, lock_);
    if (begun.has_error())
        return false;
    const auto& p = begun->progress();
    const auto judged = judge_stream({p.stream_id, p.last_sequence}, stream, last_counted::not_looked);
    const counting_rule present{counting_version, settings_.dedupe_window};
    if (begun->rule() != present || p.rule_since != 0 || judged.finding == stream_finding::another)
        return false;
    counts_.emplace(std::move(*begun));
    return true;
}

void rebuild::consume()
{
    consuming_ = false;
    ordered_consumer::settings what;
    what.stream = std::string(names::stream_events);
    what.after = {progress_.last_sequence, progress_.last_timestamp};
    what.reader = "reporting-rebuild";
    what.description = "Counts the views anew, beside the counts there are";
    consumer_ = ordered_consumer::start(
        nats_, std::move(what), [this](std::vector<stored_message> batch) { on_batch(batch); },
        [this](bool up, const stream_state& stream) { on_state(up, stream); },
        [this](resume_failure how)
        {
            if (how == resume_failure::another)
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
               [weak = weak_from_this()]
               {
                   if (const auto alive = weak.lock(); alive && alive->counts_) // not stopped meanwhile
                       alive->consume();
               });
}

void rebuild::on_state(bool up, const stream_state& stream)
{
    consuming_ = up;
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

/// Counts all of the batch, and writes in parts: requests have their turns in between.
void rebuild::on_batch(const std::vector<stored_message>& batch)
{
    if (!counts_)
        return;
    if (auto counted = counts_->stage(batch); counted.has_error())
        return fail_with(counted.error());
    if (writing_ || counts_->uncommitted() >= rebuilt_at_once)
    {
        const auto done = counts_->write_some(rows_an_event * most_events_in(batch) + 1);
        if (done.has_error())
            return fail_with(done.error());
        writing_ = !*done;
    }
    else if (const auto hidden = counts_->hide_some(rows_an_event * most_events_in(batch) + 1); hidden.has_error())
        return fail_with(hidden.error());
    progress_ = counts_->progress();
    pending_ = batch.back().pending;
    handlers_.on_progress();
}

void rebuild::fail_with(const error& why)
{
    stop();
    why_stopped_ = why.detail;
    log(log_level::error, "counting anew has stopped", {{"why", why.detail}, {"file", settings_.path}});
    handlers_.on_failure(why.detail);
}

void rebuild::log_progress()
{
    const auto now = std::chrono::steady_clock::now();
    if (!running() || now - logged_ < log_period)
        return;
    logged_ = now;
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
    if (consumer_) // this may be a handler of its own
        asio::post(nats_.context(), [gone = std::shared_ptr<ordered_consumer>(std::move(consumer_))] {});
}

void rebuild::give_up(std::string why)
{
    stop();
    why_stopped_ = std::move(why);
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
    if (!why_stopped_.empty())
        data["stopped"] = why_stopped_;
    return data;
}

} // namespace marquee
