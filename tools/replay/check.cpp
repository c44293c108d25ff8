#include "tools/replay/check.hpp"

#include "tools/replay/event_line.hpp"

#include <ostream>

#include <poll.h>

namespace marquee::replay
{

result<check_outcome> check_lines(line_reader& lines, std::ostream& out)
{
    check_outcome counts;
    for (std::string line;;)
    {
        const auto read = lines.next(line);
        if (read.has_error())
            return read.error();
        if (*read == read_outcome::end)
            return counts;
        if (*read == read_outcome::later)
        {
            pollfd more{lines.handle(), POLLIN, 0};
            (void)::poll(&more, 1, -1);
            continue;
        }
        const auto event = read_line(line, 1);
        if (event.has_error())
        {
            ++counts.bad;
            out << "line " << lines.position().line << ": " << event.error().detail << '\n';
            continue;
        }
        ++counts.events;
        if (event->rejection.empty())
            continue;
        ++counts.rejected;
        out << "line " << lines.position().line << ": reporting will reject it: " << event->rejection << '\n';
    }
}

} // namespace marquee::replay
