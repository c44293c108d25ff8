// Counting anew, and putting the new counts in the place of those that serve.
#include "services/reporting/reporting_instance.hpp"

#include "broker/base/log.hpp"
#include "services/reporting/projection/swap.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace marquee
{

rebuild_status reporting_instance::status_of_rebuild() const noexcept
{
    if (!rebuild_)
        return settings_.rebuild ? rebuild_status::available : rebuild_status::none;
    return rebuild_->running() ? rebuild_status::running : rebuild_status::none;
}

result<void> reporting_instance::begin_rebuild(const std::string& why)
{
    rebuild::handlers with;
    with.on_progress = [this] { swap_when_ready(); };
    with.on_failure = [this](const std::string& problem) { advance(reporting_events::rebuild_failed{}, problem); };
    auto begun = rebuild::start(nats_, settings_.database, lock_, stream_, why, std::move(with));
    if (begun.has_error())
        return begun.error();
    rebuild_ = std::move(*begun);
    return {};
}

/// Once the new counts are no less far than those that serve, or, where none serve, are complete.
bool reporting_instance::ready_to_swap() const
{
    if (!rebuild_ || !rebuild_->running())
        return false;
    if (fsm_.state() == reporting_state::awaiting_rebuild)
        return rebuild_->caught_up();
    return fsm_.counts() && rebuild_->consuming() && rebuild_->progress().last_sequence >= progress().last_sequence;
}

void reporting_instance::swap_when_ready()
{
    if (!ready_to_swap())
        return;
    if (rebuild_->progress().skipped == 0 || settings_.database.accept_loss)
        swap();
    else
        refuse_swap();
}

/// The stream no longer has its start.
void reporting_instance::refuse_swap()
{
    const auto& rebuilt = rebuild_->progress();
    const auto& present = progress();
    const bool unusable = fsm_.state() == reporting_state::awaiting_rebuild;
    const auto missing = unusable || present.applied < rebuilt.applied
                             ? std::to_string(rebuilt.skipped) + " messages of the stream"
                             : std::to_string(present.applied - rebuilt.applied) + " views";
    const auto why = "the stream no longer has its start: " + missing +
                     " would be missing (--accept-loss takes the new counts all the same)";
    log(log_level::error, "counting anew is done, and does not replace the counts", {{"why", why}});
    rebuild_->give_up(why);
    advance(reporting_events::rebuild_failed{}, why);
}

void reporting_instance::swap()
{
    const auto before = progress();
    const auto emptied = views_->counts.empty_log();
    if (fsm_.counts() && (emptied.has_error() || !*emptied))
        return; // a backup reads from it: at a later check
    if (const auto finished = rebuild_->finish(); finished.has_error())
        return;
    commit_.cancel();
    commit_scheduled_ = false;
    auto opened = open_swapped();
    if (opened.has_error())
    {
        alarm_ = opened.error().detail;
        advance(reporting_events::swap_failed{}, alarm_);
        return;
    }
    views_->counts = std::move(*opened);
    const auto& now = progress();
    log(log_level::info, "counted anew",
        {{"last_sequence", std::to_string(now.last_sequence)},
         {"applied", std::to_string(now.applied)},
         {"applied_before", std::to_string(before.applied)},
         {"kept", file_before_rebuild(settings_.database.path)}});
    asio::post(nats_.context(), [done = std::exchange(rebuild_, nullptr)] {}); // this may be a handler of its own
    views_->waiter.applied(now.last_sequence);
    end_alarm(reporting_events::swapped{});
}

result<projection> reporting_instance::open_swapped()
{
    views_->counts = projection::none();
    if (auto swapped = swap_databases(settings_.database.path); swapped.has_error())
        return swapped.error();
    settings_.database.accept_loss = false; // it was for what the start found
    return projection::open(settings_.database, lock_);
}

} // namespace marquee
