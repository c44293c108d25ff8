#include "broker/program/settings_reloader.hpp"

#include "broker/base/log.hpp"
#include "broker/program/log_options.hpp"
#include "broker/program/signals.hpp"

#include <algorithm>
#include <csignal>
#include <set>
#include <utility>

namespace marquee
{

namespace
{

const std::vector<std::string>* values_of(const given_settings& given, const std::string& option)
{
    const auto found = given.find(option);
    return found == given.end() ? nullptr : &found->second.values;
}

} // namespace

settings_reloader::settings_reloader(asio::io_context& io, program_settings settings, live_part live)
    : first_(settings), now_(std::move(settings)), live_(std::move(live)), hangup_(io, SIGHUP)
{
    for (auto& each : log_option_names())
        live_.options.push_back(std::move(each));
    wait();
    unblock_sighup();
}

void settings_reloader::wait()
{
    hangup_.async_wait(
        [this](boost::system::error_code ec, int)
        {
            if (!ec)
                reload();
        });
}

void settings_reloader::reload()
{
    if (now_.file().empty())
        return wait();
    auto next = now_.read_again();
    auto outcome = next.has_error() ? result<void>(next.error()) : result<void>();
    if (next.has_value() && live_.apply)
        outcome = live_.apply(next->values(), [this, next = *next] { applied(next); });
    if (outcome.has_error())
    {
        log(log_level::error, "the settings stay as they were", {{"reason", outcome.error().detail}});
        return wait();
    }
    if (!live_.apply)
        applied(*next);
}

void settings_reloader::applied(const program_settings& next)
{
    const bool was_logged = is_logged(log_level::info);
    if (was_logged) // the new level may leave it out
        report(next);
    apply_log_options(next.values());
    if (!was_logged)
        report(next);
    now_ = next;
    wait(); // one that came meanwhile is delivered now
}

void settings_reloader::report(const program_settings& next) const
{
    const auto changed = changes(next, true);
    const auto later = changes(next, false);
    for (const auto& warning : next.warnings())
        log(log_level::warning, warning);
    log(log_level::info, "settings read again",
        {{"file", next.file()}, {"changed", changed.empty() ? "nothing" : changed}});
    if (!later.empty())
        log(log_level::warning, "changed settings that need a restart", {{"file", next.file()}, {"settings", later}});
}

bool settings_reloader::is_live(const std::string& option) const
{
    return std::find(live_.options.begin(), live_.options.end(), option) != live_.options.end();
}

bool settings_reloader::differs(const program_settings& next, const std::string& option) const
{
    const auto* before = values_of((is_live(option) ? now_ : first_).given(), option);
    const auto* after = values_of(next.given(), option);
    return before == nullptr || after == nullptr ? before != after : *before != *after;
}

/// The names of the settings that differ from those in force, of those that can change or of the
/// others.
std::string settings_reloader::changes(const program_settings& next, bool live) const
{
    std::set<std::string> names;
    for (const auto* given : {&first_.given(), &now_.given(), &next.given()})
        for (const auto& [option, setting] : *given)
            if (is_live(option) == live && differs(next, option))
                names.insert(option);
    std::string all;
    for (const auto& each : names)
        (all += all.empty() ? "" : ", ") += each;
    return all;
}

} // namespace marquee
