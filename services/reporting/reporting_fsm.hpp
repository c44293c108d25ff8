// The states of a reporting instance: when it counts, when it serves, and what a failure leads to.
// No I/O: reporting_instance reports what happens and carries out the actions.
#pragma once

#include "services/reporting/projection/projection_progress.hpp"

#include <string_view>
#include <variant>

namespace marquee
{

enum class reporting_state
{
    starting = 1,     ///< endpoints and consumer are not there yet
    catching_up,      ///< counts; has not served yet
    serving,          ///< counts, and is in the queue group of its endpoints
    lagging,          ///< counts; has served, and is out of the queue group until it has caught up
    disk_full,        ///< does not count; tries again soon
    retrying,         ///< counts after disk_full; does not serve before something is written
    awaiting_rebuild, ///< its counts cannot be used: a rebuild is going to replace them
    stopped,          ///< has served, and cannot count any more: answers $SRV only
    failed            ///< the program is ending
};

/// For logs and tests.
[[nodiscard]] std::string_view name_of(reporting_state state) noexcept;

/// Whether a rebuild can take the place of counts that cannot be used.
enum class rebuild_status
{
    none = 1,  ///< not asked for, or done, or given up
    available, ///< asked for (--rebuild) and not begun
    running
};

namespace reporting_events
{

/// The endpoints are there. `usable`: so are counts that belong to the stream.
struct started
{
    bool usable = true;
};

/// How far it is behind was looked at: after each batch, and several times a second.
struct lag_checked
{
    bool current = false;  ///< within the limit, and the stream's settings are accepted
    bool complete = false; ///< nothing is left to be counted
};

/// The queue group was joined. Follows each change of serves() to true, once that succeeds.
struct joined
{
};

/// Counting or writing failed, or the stream is not the one that was counted.
struct counting_failed
{
    file_condition file = file_condition::sound;
    rebuild_status rebuild = rebuild_status::none;
};

/// All that was staged is written, or nothing was left to be written.
struct written
{
};

/// It is time to try again.
struct retry_due
{
};

/// A rebuild could not be begun, has stopped, or must not replace the counts.
struct rebuild_failed
{
};

/// A rebuild has replaced the counts.
struct swapped
{
};

/// The files could not be swapped: there are no counts any more.
struct swap_failed
{
};

} // namespace reporting_events

using reporting_event =
    std::variant<reporting_events::started, reporting_events::lag_checked, reporting_events::joined,
                 reporting_events::counting_failed, reporting_events::written, reporting_events::retry_due,
                 reporting_events::rebuild_failed, reporting_events::swapped, reporting_events::swap_failed>;

/// What is to be done after a transition, once the queue group follows serves().
enum class reporting_action
{
    none = 1,
    consume,       ///< read the stream from the last message counted on
    begin_rebuild, ///< as it was asked for; where that fails: rebuild_failed
    retry_later,   ///< report retry_due after a while
    end_program
};

/// Single-threaded; a value.
class reporting_fsm
{
public:
    /// The one transition function. An event that means nothing in the present state is ignored.
    [[nodiscard]] reporting_action advance(const reporting_event& event);

    [[nodiscard]] reporting_state state() const noexcept { return state_; }

    /// The consumer's messages are to be counted.
    [[nodiscard]] bool counts() const noexcept;

    /// The instance is to be in the queue group. Joining and leaving may fail while the link is
    /// down, and is then tried again.
    [[nodiscard]] bool serves() const noexcept { return state_ == reporting_state::serving; }

    /// It has been in the queue group.
    [[nodiscard]] bool has_served() const noexcept { return has_served_; }

private:
    reporting_action on(const reporting_events::started& event);
    reporting_action on(const reporting_events::lag_checked& event);
    reporting_action on(const reporting_events::joined& event);
    reporting_action on(const reporting_events::counting_failed& event);
    reporting_action on(const reporting_events::written& event);
    reporting_action on(const reporting_events::retry_due& event);
    reporting_action on(const reporting_events::rebuild_failed& event);
    reporting_action on(const reporting_events::swapped& event);
    reporting_action on(const reporting_events::swap_failed& event);

    reporting_action enter(reporting_state state, reporting_action action = reporting_action::none) noexcept;

    /// The state of an instance that counts and does not serve.
    [[nodiscard]] reporting_state behind() const noexcept;

    reporting_state state_ = reporting_state::starting;
    bool has_served_ = false;
};

} // namespace marquee
