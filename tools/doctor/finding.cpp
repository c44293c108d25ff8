#include "tools/doctor/finding.hpp"

#include "broker/base/log.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace marquee::doctor
{
namespace
{

std::string word_for(severity how)
{
    switch (how)
    {
    case severity::ok:
        return "ok       ";
    case severity::warning:
        return "warning  ";
    case severity::problem:
        return "problem  ";
    }
    return {};
}

} // namespace

std::string text_of(const finding& each)
{
    auto text = word_for(each.how) + printable(each.about) + ": " + printable(each.detail);
    if (!each.cure.empty())
        text += "\n         cure: " + printable(each.cure);
    return text;
}

std::string ask_as_operator()
{
    return "where this user may not ask: --context FILE of one who may, such as data/secure/nkeys/operator.json";
}

std::string size_about(std::uint64_t bytes)
{
    constexpr std::array<const char*, 5> units{" bytes", " KiB", " MiB", " GiB", " TiB"};
    auto size = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; size >= 1024 && unit + 1 < units.size(); ++unit)
        size /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f" : "%.1f", size);
    return text.data() + std::string(units.at(unit));
}

std::size_t count(const findings& all, severity how) noexcept
{
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [how](const finding& each) { return each.how == how; }));
}

} // namespace marquee::doctor
