// A projection to be counted into, and a stream with one of everything.
#pragma once

#include "services/reporting/projection/projection.hpp"
#include "tests/unit/services/kit.hpp"

#include <random>
#include <string>
#include <vector>

namespace marquee::test
{

struct projection_fixture
{
    temporary_folder folder;
    projection counts = open();

    projection open(const std::string& name = "counts.db", nanoseconds window = hours(24))
    {
        projection_settings settings;
        settings.path = folder.file(name);
        settings.dedupe_window = window;
        auto opened = projection::open(settings);
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
        return std::move(*opened);
    }

    void apply(const std::vector<stored_message>& messages)
    {
        const auto applied = counts.apply(messages);
        BOOST_REQUIRE_MESSAGE(applied.has_value(), applied.error().detail);
    }

    std::uint64_t of_asset(std::string_view id) { return counts.asset_views(asset(id)).value(); }
    std::uint64_t of_user(std::string_view id) { return counts.user_views(user(id)).value(); }
};

/// JSON events with ids that come again soon or late, text events and garbage, with timestamps that
/// sometimes go back.
inline std::vector<stored_message> mixed_stream(std::size_t size)
{
    std::mt19937 random(7);
    std::vector<stored_message> stream;
    nanoseconds now = day_one;
    for (std::size_t i = 1; i <= size; ++i)
    {
        now += std::chrono::minutes(random() % 10);
        const auto id = "id-" + std::to_string(random() % (size / 2));
        const auto a = "a" + std::to_string(random() % 9);
        const auto u = "u" + std::to_string(random() % 40);
        const auto at = random() % 20 == 0 ? now - std::chrono::hours(3) : now;
        const auto kind = random() % 10;
        stream.push_back(stored(i, kind == 0 ? a + ":" + u : kind == 1 ? "{garbage" : event_json(id, a, u), at));
    }
    return stream;
}

} // namespace marquee::test
