// Views by time, viewers, histories and corrections, against a model of plain maps.
#include "tests/unit/services/reporting/projection/projection_fixture.hpp"
#include "tests/unit/services/reporting/projection/view_model.hpp"

#include <SQLiteCpp/Database.h>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

std::int64_t hour_of(nanoseconds stored) { return view_model::ms_of_stream(stored) / 3'600'000; }

/// What a model says of the most viewed, as projection::top() does.
std::vector<views_reply> top_of(const view_model& model, const step_range& steps)
{
    const std::int64_t hours = steps.kind == step_kind::hour ? 1 : 24;
    std::vector<views_reply> all;
    for (const auto& [id, sum] : model.assets)
        if (const auto views = model.between(steps.first * hours, steps.end * hours, id); views > 0)
            all.push_back({id, views});
    std::sort(all.begin(), all.end(),
              [](const views_reply& a, const views_reply& b)
              { return a.views != b.views ? a.views > b.views : a.id < b.id; });
    return all;
}

std::string text_of(const std::vector<views_reply>& all)
{
    std::string text;
    for (const auto& each : all)
        text += each.id + ' ' + std::to_string(each.views) + '\n';
    return text;
}

/// The history of a user, in pages of `size`.
std::string history_in_pages(projection& counts, const std::string& who, std::size_t size)
{
    std::string text;
    std::optional<history_place> after;
    for (;;)
    {
        const auto page = counts.history(user(who), after, size).value();
        if (!page || page->empty())
            return text;
        for (const auto& each : *page)
            text += each.id + ' ' + std::to_string(each.views) + ' ' + std::to_string(each.last) + '\n';
        after = history_place{page->back().last, page->back().id};
    }
}

std::string history_of(const view_model& model, const std::string& who)
{
    std::vector<std::pair<std::string, view_model::sum>> seen;
    for (const auto& [key, sum] : model.pairs)
        if (key.first == who)
            seen.emplace_back(key.second, sum);
    std::sort(seen.begin(), seen.end(),
              [](const auto& a, const auto& b)
              { return a.second.last != b.second.last ? a.second.last > b.second.last : a.first < b.first; });
    std::string text;
    for (const auto& [id, sum] : seen)
        text += id + ' ' + std::to_string(sum.views) + ' ' + std::to_string(sum.last) + '\n';
    return text;
}

void compare_assets(projection& counts, const view_model& model)
{
    std::string expected;
    for (const auto& [id, sum] : model.assets)
        expected += id + ' ' + std::to_string(sum.views) + ' ' + std::to_string(model.viewers(id)) + ' ' +
                    std::to_string(sum.last) + '\n';
    for (const std::size_t size : {1U, 4U, 100U})
    {
        std::string found;
        std::string after;
        for (auto page = counts.assets_after(after, size).value(); !page.empty();
             page = counts.assets_after(after, size).value())
        {
            for (const auto& each : page)
                found += each.id + ' ' + std::to_string(each.views) + ' ' + std::to_string(each.viewers) + ' ' +
                         std::to_string(each.last) + '\n';
            after = page.back().id;
        }
        BOOST_TEST(found == expected);
    }
    for (const auto& [id, sum] : model.assets)
    {
        const auto one = counts.asset(asset(id)).value();
        BOOST_TEST((one && one->views == sum.views && one->viewers == model.viewers(id) && one->last == sum.last));
    }
    BOOST_TEST(!counts.asset(asset("none")).value().has_value());
}

void compare_users(projection& counts, const view_model& model)
{
    for (int i = 0; i < 13; ++i)
    {
        const auto who = "u " + std::to_string(i);
        const auto found = model.users.find(who);
        const auto one = counts.user(user(who)).value();
        BOOST_TEST(one.has_value() == (found != model.users.end()));
        BOOST_TEST(counts.history(user(who), std::nullopt, 10).value().has_value() == one.has_value());
        if (!one || found == model.users.end())
            continue;
        const auto expected = history_of(model, who);
        BOOST_TEST(one->views == found->second.views);
        BOOST_TEST(one->last == found->second.last);
        BOOST_TEST(one->assets == static_cast<std::size_t>(std::count(expected.begin(), expected.end(), '\n')));
        BOOST_TEST(history_in_pages(counts, who, 2) == expected);
        BOOST_TEST(history_in_pages(counts, who, 50) == expected);
    }
}

void compare_steps(projection& counts, const view_model& model, std::int64_t hour)
{
    for (const auto& steps :
         {step_range{step_kind::hour, hour - 50, hour + 3}, step_range{step_kind::day, hour / 24 - 50, hour / 24 + 2},
          step_range{step_kind::hour, 0, 2}, step_range{step_kind::day, 0, 1}})
    {
        const std::int64_t hours = steps.kind == step_kind::hour ? 1 : 24;
        for (const std::string id : {"", "a0", "a7", "a14"})
        {
            const auto of = id.empty() ? std::optional<asset_id>() : std::optional(asset(id));
            const auto found = counts.series(steps, of).value();
            BOOST_TEST(found.has_value() == (id.empty() || model.assets.contains(id)));
            for (std::size_t i = 0; found && i < found->size(); ++i)
            {
                const auto start = (steps.first + static_cast<std::int64_t>(i)) * hours;
                BOOST_TEST(found->at(i) == model.between(start, start + hours, id));
            }
        }
        const auto expected = top_of(model, steps);
        BOOST_TEST(text_of(counts.top(steps, 1000).value()) == text_of(expected));
        const std::vector<views_reply> first(
            expected.begin(),
            expected.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(expected.size(), 3)));
        BOOST_TEST(text_of(counts.top(steps, 3).value()) == text_of(first));
    }
}

void compare(projection& counts, const view_model& model, nanoseconds now)
{
    const auto& p = counts.progress();
    BOOST_TEST(p.duplicates == model.duplicates);
    BOOST_TEST(p.rejected == model.rejected);
    BOOST_TEST(p.retracted == model.retracted);
    BOOST_TEST(p.erased == model.erased);
    compare_assets(counts, model);
    compare_users(counts, model);
    compare_steps(counts, model, hour_of(now));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(projection_views, projection_fixture)

BOOST_AUTO_TEST_CASE(every_answer_is_that_of_a_plain_model_and_a_function_of_the_stream_alone)
{
    constexpr nanoseconds window = 12h;
    for (const unsigned seed : {1U, 2U, 3U, 4U})
        BOOST_TEST_CONTEXT("seed " << seed)
        {
            const auto messages = random_views(seed).make(700);
            std::vector<stored_message> stream;
            for (const auto& each : messages)
                stream.push_back(stored(stream.size() + 1, each));
            const auto name = std::to_string(seed);
            auto in_parts = open("parts-" + name + ".db", window);
            view_model model(window);
            std::mt19937 random(seed);
            std::size_t counted = 0;
            while (counted < stream.size())
            {
                const auto size = std::min<std::size_t>(1 + random() % 60, stream.size() - counted);
                BOOST_REQUIRE(in_parts.stage(std::span(stream).subspan(counted, size)).has_value());
                for (; in_parts.progress().last_sequence > counted; ++counted)
                    model.count(messages[counted]);
                if (random() % 2 == 0)
                    BOOST_REQUIRE(in_parts.write_some(1 + random() % 40).has_value());
                BOOST_REQUIRE(in_parts.hide_some(1 + random() % 200).has_value());
                if (random() % 3 == 0)
                    compare(in_parts, model, messages[counted - 1].stored);
                if (random() % 5 == 0) // ends as if killed: what was not written is counted again
                {
                    in_parts = projection::none();
                    in_parts = open("parts-" + name + ".db", window);
                    const auto before = in_parts.progress().last_sequence;
                    BOOST_REQUIRE(in_parts.stage(std::span(stream).subspan(before, counted - before)).has_value());
                    compare(in_parts, model, messages[counted - 1].stored);
                }
            }
            compare(in_parts, model, messages.back().stored);
            BOOST_TEST(model.retracted > 10U); // the stream is mixed
            BOOST_TEST(model.rejected > 5U);
            BOOST_TEST(model.erased > 10U);
            BOOST_TEST(model.duplicates > 50U);
            auto at_once = open("once-" + name + ".db", window);
            BOOST_REQUIRE(at_once.apply(stream).has_value());
            BOOST_TEST(dump_of(at_once) == dump_of(in_parts));
        }
}

BOOST_AUTO_TEST_CASE(corrections_find_no_id_that_is_forgotten_however_time_runs)
{
    constexpr nanoseconds window = 12h;
    random_views random(5, 30);
    auto messages = random.make(16'000); // 66 hours; those before the 14th are forgotten
    random.go_back(0.1);
    for (auto& each : random.make(3000))
        messages.push_back(std::move(each));
    view_model model(window);
    std::vector<stored_message> stream;
    for (const auto& each : messages)
    {
        stream.push_back(stored(stream.size() + 1, each));
        model.count(each);
    }
    BOOST_TEST(model.refused_as_forgotten > 5U);
    BOOST_TEST(model.taken_again > 5U);
    BOOST_TEST(model.retracted > 100U);
    auto at_once = open("once.db", window);
    BOOST_REQUIRE(at_once.apply(stream).has_value());
    compare(at_once, model, messages.back().stored);
    auto in_parts = open("parts.db", window);
    for (std::size_t at = 0; at < stream.size(); at += 1000)
    {
        BOOST_REQUIRE(
            in_parts.apply(std::span(stream).subspan(at, std::min<std::size_t>(1000, stream.size() - at))).has_value());
        if (at % 5000 == 0) // what is forgotten is read back
        {
            in_parts = projection::none();
            in_parts = open("parts.db", window);
        }
    }
    BOOST_TEST((dump_of(in_parts) == dump_of(at_once)));
}

/// As an import writes them: very many views of one moment.
BOOST_AUTO_TEST_CASE(what_is_equal_comes_in_byte_order_however_much_it_is)
{
    constexpr int written = 4000;
    constexpr int all = 4300;
    std::vector<std::string> ids; // in another order than the numbers
    std::vector<stored_message> messages;
    for (int i = 0; i < all; ++i)
    {
        ids.push_back("asset " + std::to_string(i * 7919 % 100'003));
        messages.push_back(stored(messages.size() + 1, ids.back() + ":u"));
    }
    messages.push_back(stored(messages.size() + 1, "last of all:u", day_one + 1h));
    messages.push_back(stored(messages.size() + 1, "first of all:u", day_one - 1h));
    const std::span<const stored_message> span(messages);
    BOOST_REQUIRE(counts.apply(span.first(written)).has_value());
    BOOST_REQUIRE(counts.stage(span.subspan(written)).has_value());
    std::sort(ids.begin(), ids.end());
    const auto ms = std::to_string(view_model::ms_of_stream(day_one));
    std::string expected = "last of all 1 " + std::to_string(view_model::ms_of_stream(day_one + 1h)) + '\n';
    std::string top;
    for (const auto& id : ids)
    {
        expected += id + " 1 " + ms + '\n';
        top += id + " 1\n";
    }
    expected += "first of all 1 " + std::to_string(view_model::ms_of_stream(day_one - 1h)) + '\n';
    for (const std::size_t size : {7U, 100U, 1000U, 10'000U})
        BOOST_TEST((history_in_pages(counts, "u", size) == expected));
    const step_range hour{step_kind::hour, hour_of(day_one), hour_of(day_one) + 1};
    for (const std::size_t size : {10U, 1000U, 10'000U})
    {
        const auto found = text_of(counts.top(hour, size).value());
        BOOST_TEST(static_cast<std::size_t>(std::count(found.begin(), found.end(), '\n')) ==
                   std::min(size, ids.size()));
        BOOST_TEST(top.starts_with(found));
    }
    BOOST_REQUIRE(counts.commit().has_value());
    BOOST_TEST((history_in_pages(counts, "u", 50) == expected));
}

BOOST_AUTO_TEST_CASE(a_view_has_the_time_of_its_event_within_bounds_and_else_that_of_the_stream)
{
    struct row
    {
        const char* what;
        const char* time;
        std::int64_t expected; ///< milliseconds; below 0: the stream's
    };
    // day_one is 2024-10-04T00:00:00Z
    constexpr std::int64_t ms = 20000LL * 86'400'000;
    const row rows[] = {
        {"before", "2023-01-02T03:04:05.678Z", 1'672'628'645'678},
        {"the first moment", "1970-01-01T00:00:00Z", 0},
        {"before the first moment", "1969-12-31T23:59:59.999Z", -1},
        {"five minutes ahead", "2024-10-04T00:05:00.0009Z", ms + 300'000},
        {"more than five minutes ahead", "2024-10-04T00:05:00.001Z", -1},
        {"years ahead", "9999-12-31T23:59:59Z", -1},
        {"a leap second", "2016-12-31T23:59:60Z", 1'483'228'800'000},
        {"year 0", "0000-01-01T00:00:00Z", -1},
        {"with a fraction finer than milliseconds", "2024-10-03T23:59:59.9999Z", ms - 1},
    };
    std::uint64_t sequence = 0;
    for (const auto& each : rows)
        BOOST_TEST_CONTEXT(each.what)
        {
            plain_message m;
            m.stored = day_one + 999us;
            m.events = {{"id" + std::to_string(sequence), each.what, "u", each.time}};
            apply({stored(++sequence, m)});
            BOOST_TEST(counts.asset(asset(each.what)).value()->last == (each.expected < 0 ? ms : each.expected));
        }
    apply({stored(++sequence, "text:u", day_one + 90min)});
    BOOST_TEST(counts.asset(asset("text")).value()->last == ms + 5'400'000);
    const auto hours = counts.series({step_kind::hour, 480'000, 480'003}, std::nullopt).value().value();
    BOOST_TEST(hours == std::vector<std::uint64_t>({5, 1, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_no_correction_is_rejected_by_name_and_does_nothing)
{
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"a:u", "The body is not JSON"},
        {"", "The body is empty"},
        {"{}", "exactly one of the members"},
        {R"({"retract":"k","erase":"u"})", "exactly one of the members"},
        {R"({"retract":"a b"})", "retract: "},
        {R"({"erase":""})", "erase: "},
        {R"({"retract":7})", "retract: "},
        {R"({"retract":"unknown"})", "retract: no event with this id"},
        {event_json("k", "a", "u"), "exactly one of the members"},
    };
    apply({stored(1, event_json("k", "a", "u"))});
    std::uint64_t sequence = 1;
    for (const auto& [payload, why] : rows)
        BOOST_TEST_CONTEXT(payload)
        {
            auto m = stored(++sequence, payload);
            m.subject = "events.admin";
            apply({m});
            BOOST_TEST(counts.progress().rejected == sequence - 1);
            BOOST_TEST(counts.progress().last_reject_sequence == sequence);
            BOOST_TEST_INFO(counts.progress().last_reject_reason);
            BOOST_TEST(counts.progress().last_reject_reason.find(why) != std::string::npos);
        }
    BOOST_TEST(of_asset("a") == 1U);
    BOOST_TEST(of_user("u") == 1U);
}

BOOST_AUTO_TEST_CASE(a_retracted_view_is_gone_and_its_id_stays_used)
{
    const auto admin = [](std::uint64_t sequence, const std::string& payload)
    {
        auto m = stored(sequence, payload);
        m.subject = "events.admin";
        return m;
    };
    apply({stored(1, event_json("k", "a", "u")), stored(2, event_json("l", "a", "v")), admin(3, R"({"retract":"k"})"),
           stored(4, event_json("k", "a", "u"))});
    BOOST_TEST(of_asset("a") == 1U);
    BOOST_TEST(counts.asset(asset("a")).value()->viewers == 1U);
    BOOST_TEST(!counts.user(user("u")).value().has_value());
    BOOST_TEST(counts.progress().duplicates == 1U);
    apply({admin(5, R"({"retract":"k"})")});
    BOOST_TEST(counts.progress().last_reject_reason.find("before") != std::string::npos);
    apply({admin(6, R"({"retract":"l"})")});
    BOOST_TEST(!counts.asset(asset("a")).value().has_value());
    BOOST_TEST(counts.top(10).value().empty());
    BOOST_TEST(counts.top({step_kind::hour, 480'000, 480'001}, 10).value().empty());
    BOOST_TEST(counts.progress().retracted == 2U);
    BOOST_TEST(counts.progress().applied == 2U);
    counts = projection::none();
    counts = open(); // the sums match
    apply({stored(7, event_json("m", "a", "u"))});
    BOOST_TEST(of_asset("a") == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_names_an_erased_user_and_its_ids_stay_used)
{
    constexpr auto secret = "jane@example.org";
    const std::string batch = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    apply({stored(1, event_json("jane-1", "a", secret)), stored(2, event_json("other", "a", "v")),
           stored(3, event_json(batch + ".0", "a", secret) + '\n' + event_json(batch + ".1", "b", "v"))});
    auto m = stored(4, std::string(R"({"erase":")") + secret + "\"}");
    m.subject = "events.admin";
    apply({m});
    const auto text = dump_of(counts);
    for (const std::string gone : {secret, "jane"})
        BOOST_TEST(text.find(gone) == std::string::npos);
    BOOST_TEST(of_asset("a") == 3U);
    BOOST_TEST(counts.asset(asset("a")).value()->viewers == 1U);
    BOOST_TEST(!counts.user(user(secret)).value().has_value());
    BOOST_TEST(counts.progress().erased == 2U);
    for (const bool again : {false, true}) // also after a restart
    {
        apply({stored(5 + (again ? 3U : 0U), event_json("jane-1", "a", secret)),
               stored(6 + (again ? 3U : 0U), event_json(batch + ".0", "a", secret))});
        BOOST_TEST(of_asset("a") == 3U);
        auto take = stored(7 + (again ? 3U : 0U), R"({"retract":"jane-1"})");
        take.subject = "events.admin";
        apply({take});
        counts = projection::none();
        counts = open();
    }
    BOOST_TEST(counts.progress().duplicates == 4U);
    BOOST_TEST(counts.progress().rejected == 2U);
    apply({stored(11, event_json("new", "a", secret))});
    BOOST_TEST(of_user(secret) == 1U);
    BOOST_TEST(counts.asset(asset("a")).value()->viewers == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
