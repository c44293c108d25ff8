#include "services/reporting/reporting_fsm.hpp"

namespace marquee
{

using namespace reporting_events;

std::string_view name_of(reporting_state state) noexcept
{
    switch (state)
    {
    case reporting_state::starting:
        return "starting";
    case reporting_state::catching_up:
        return "catching_up";
    case reporting_state::serving:
        return "serving";
    case reporting_state::lagging:
        return "lagging";
    case reporting_state::disk_full:
        return "disk_full";
    case reporting_state::retrying:
        return "retrying";
    case reporting_state::awaiting_rebuild:
        return "awaiting_rebuild";
    case reporting_state::stopped:
        return "stopped";
    case reporting_state::failed:
        return "failed";
    }
    return "";
}

reporting_action reporting_fsm::advance(const reporting_event& event)
{
    if (state_ == reporting_state::failed)
        return reporting_action::none;
    return std::visit([this](const auto& each) { return on(each); }, event);
}

bool reporting_fsm::counts() const noexcept
{
    switch (state_)
    {
    case reporting_state::catching_up:
    case reporting_state::serving:
    case reporting_state::lagging:
    case reporting_state::retrying:
        return true;
    case reporting_state::starting:
    case reporting_state::disk_full:
    case reporting_state::awaiting_rebuild:
    case reporting_state::stopped:
    case reporting_state::failed:
        return false;
    }
    return false;
}

reporting_action reporting_fsm::enter(reporting_state state, reporting_action action) noexcept
{
    state_ = state;
    return action;
}

reporting_state reporting_fsm::behind() const noexcept
{
    return has_served_ ? reporting_state::lagging : reporting_state::catching_up;
}

reporting_action reporting_fsm::on(const started& event)
{
    if (state_ != reporting_state::starting)
        return reporting_action::none;
    return event.usable ? enter(reporting_state::catching_up, reporting_action::consume)
                        : enter(reporting_state::awaiting_rebuild);
}

/// Joins for the first time only when everything is counted, and later within the limit.
reporting_action reporting_fsm::on(const lag_checked& event)
{
    const bool waits = state_ == reporting_state::lagging || (state_ == reporting_state::catching_up && event.complete);
    if (waits && event.current)
        return enter(reporting_state::serving);
    if (state_ == reporting_state::serving && !event.current)
        return enter(behind());
    return reporting_action::none;
}

reporting_action reporting_fsm::on(const joined&)
{
    has_served_ = true;
    return reporting_action::none;
}

/// An instance that has served answers `$SRV` on, which tells why it does not count. One that has
/// not, and any whose file is broken, ends the program, unless a rebuild is going to replace the
/// counts.
reporting_action reporting_fsm::on(const counting_failed& event)
{
    if (!counts())
        return reporting_action::none;
    if (event.rebuild == rebuild_status::available && !has_served_)
        return enter(reporting_state::awaiting_rebuild, reporting_action::begin_rebuild);
    const bool replaced = event.rebuild == rebuild_status::running;
    if (replaced && event.file != file_condition::full)
        return enter(reporting_state::awaiting_rebuild);
    if (event.file == file_condition::broken || (!has_served_ && !replaced))
        return enter(reporting_state::failed, reporting_action::end_program);
    if (event.file == file_condition::full)
        return enter(reporting_state::disk_full, reporting_action::retry_later);
    return enter(reporting_state::stopped);
}

reporting_action reporting_fsm::on(const written&)
{
    return state_ == reporting_state::retrying ? enter(behind()) : reporting_action::none;
}

reporting_action reporting_fsm::on(const retry_due&)
{
    return state_ == reporting_state::disk_full ? enter(reporting_state::retrying, reporting_action::consume)
                                                : reporting_action::none;
}

/// Counts that serve go on.
reporting_action reporting_fsm::on(const rebuild_failed&)
{
    return state_ == reporting_state::awaiting_rebuild ? enter(reporting_state::failed, reporting_action::end_program)
                                                       : reporting_action::none;
}

/// Where the replaced counts were usable, their consumer goes on: the new ones skip what they have.
reporting_action reporting_fsm::on(const swapped&)
{
    if (state_ == reporting_state::awaiting_rebuild)
        return enter(behind(), reporting_action::consume);
    return state_ == reporting_state::retrying ? enter(behind()) : reporting_action::none;
}

reporting_action reporting_fsm::on(const swap_failed&)
{
    return enter(reporting_state::failed, reporting_action::end_program);
}

} // namespace marquee
