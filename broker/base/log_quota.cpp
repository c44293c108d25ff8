#include "broker/base/log_quota.hpp"

#include "broker/base/log_repeats.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace marquee
{

namespace
{

struct log_registry
{
    std::mutex mutex;
    std::vector<limited_log*> all;
};

/// Constructed before the first limited log and so destroyed after the last.
log_registry& all_logs()
{
    static log_registry registry;
    return registry;
}

} // namespace

limited_log::limited_log(log_level level, std::string_view text, log_quota quota)
    : level_(level), text_(text), whole_(quota), quota_(quota)
{
    auto& logs = all_logs();
    const std::lock_guard lock(logs.mutex);
    logs.all.push_back(this);
}

limited_log::~limited_log()
{
    auto& logs = all_logs();
    const std::lock_guard lock(logs.mutex);
    std::erase(logs.all, this);
}

bool limited_log::grants(log_quota::clock::time_point now)
{
    const std::lock_guard lock(mutex_);
    if (quota_.window_ended(now))
        log_left_out();
    return quota_.grants(now);
}

void limited_log::write(std::initializer_list<log_field> fields, log_quota::clock::time_point now)
{
    if (grants(now))
        log(level_, text_, fields);
}

void limited_log::restart()
{
    const std::lock_guard lock(mutex_);
    log_left_out();
    quota_ = whole_;
}

void limited_log::report(log_quota::clock::time_point now, bool at_once)
{
    const std::lock_guard lock(mutex_);
    if (at_once || quota_.window_ended(now))
        log_left_out();
}

void limited_log::log_left_out()
{
    if (const auto count = quota_.take_refused(); count > 0)
        log(level_, "more lines of one kind were left out",
            {{"kind", std::string(text_)}, {"count", std::to_string(count)}});
}

void report_left_out(bool at_once)
{
    const auto now = log_quota::clock::now();
    auto& logs = all_logs();
    const std::lock_guard lock(logs.mutex);
    for (auto* each : logs.all)
        each->report(now, at_once);
    report_repeats(at_once);
}

} // namespace marquee
