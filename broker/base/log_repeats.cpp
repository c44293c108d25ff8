#include "broker/base/log_repeats.hpp"

#include "broker/base/log_line.hpp"
#include "broker/base/log_writer.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace marquee
{

namespace
{

struct shared_repeats
{
    std::mutex mutex;
    log_repeats repeats;
};

/// Never destroyed: other threads may log until the end.
shared_repeats& of_process()
{
    static auto& shared = *new shared_repeats;
    return shared;
}

void write_all(const std::vector<log_repeats::line>& ended)
{
    for (const auto& each : ended)
    {
        log_line line(each.level, each.text);
        for (const auto& field : each.fields)
            line.add(field);
        line.add("repeated", each.repeated).write();
    }
}

} // namespace

bool log_repeats::admit(log_level level, std::string_view text, std::initializer_list<log_field> fields,
                        clock::time_point now, std::vector<line>& ended)
{
    const auto is_same = [&](const known& each)
    {
        return each.written > 0 && each.what.level == level && each.what.text == text &&
               std::equal(each.what.fields.begin(), each.what.fields.end(), fields.begin(), fields.end());
    };
    auto found = std::find_if(known_.begin(), known_.end(), is_same);
    if (found != known_.end() && now < found->end)
    {
        if (found->written == most)
        {
            ++found->what.repeated;
            return false;
        }
        ++found->written;
        return true;
    }
    if (found == known_.end()) // the place of the line that ends first; free ones have ended long ago
        found = std::min_element(known_.begin(), known_.end(),
                                 [](const known& a, const known& b) { return a.end < b.end; });
    end(*found, ended);
    found->what = {level, std::string(text), fields, 0};
    found->written = 1;
    found->end = now + window;
    return true;
}

std::vector<log_repeats::line> log_repeats::take_ended(clock::time_point now, bool at_once)
{
    std::vector<line> ended;
    for (auto& each : known_)
        if (each.written > 0 && (at_once || now >= each.end))
            end(each, ended);
    return ended;
}

void log_repeats::end(known& one, std::vector<line>& ended)
{
    if (one.written > 0 && one.what.repeated > 0)
        ended.push_back(std::move(one.what));
    one = {};
}

bool is_repeated(log_level level, std::string_view text, std::initializer_list<log_field> fields)
{
    if (level == log_level::debug || !log_thread::runs())
        return false;
    auto& shared = of_process();
    std::vector<log_repeats::line> ended;
    bool admitted = true;
    {
        const std::lock_guard lock(shared.mutex);
        admitted = shared.repeats.admit(level, text, fields, log_repeats::clock::now(), ended);
    }
    write_all(ended);
    return !admitted;
}

void report_repeats(bool at_once)
{
    auto& shared = of_process();
    std::vector<log_repeats::line> ended;
    {
        const std::lock_guard lock(shared.mutex);
        ended = shared.repeats.take_ended(log_repeats::clock::now(), at_once);
    }
    write_all(ended);
}

} // namespace marquee
