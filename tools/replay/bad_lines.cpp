#include "tools/replay/bad_lines.hpp"

#include "broker/base/log.hpp"

#include <utility>

namespace marquee::replay
{

bad_lines::bad_lines(std::string path) : path_(std::move(path))
{
    if (skips())
        out_.open(path_, std::ios::binary | std::ios::app);
}

result<void> bad_lines::append(const std::string& line)
{
    out_ << line << '\n' << std::flush;
    return check();
}

result<void> bad_lines::check() const
{
    if (skips() && !out_)
        return fail(errc::unavailable, path_ + ": cannot be written");
    return {};
}

void bad_lines::warn(const char* what, std::uint64_t line, const std::string& why)
{
    constexpr std::uint64_t max_warnings = 100;
    if (++warnings_ <= max_warnings)
        log(log_level::warning, what, {{"line", std::to_string(line)}, {"reason", why}});
    else if (warnings_ == max_warnings + 1)
        log(log_level::warning, "further lines are counted and not named (--check names them all)");
}

} // namespace marquee::replay
