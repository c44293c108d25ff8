// Messages of several events: what counts, and which ids repeat.
#include "tests/unit/services/reporting/projection/projection_file_fixture.hpp"
#include "tests/unit/services/reporting/projection/projection_fixture.hpp"

#include <SQLiteCpp/Database.h>

#include <map>
#include <random>
#include <sstream>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr auto batch_a = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
constexpr auto batch_b = "01BX5ZZKBKACTAV9WEVGEMMVRZ";

/// Counts as if each id had a row of its own, in memory, by a rule written once more.
class plain_model
{
public:
    explicit plain_model(std::chrono::nanoseconds window) : window_(window) {}

    /// Returns what the counts of this event should say.
    std::string count(const std::string& id, const std::string& asset, const std::string& user, std::uint64_t,
                      std::chrono::nanoseconds time)
    {
        if (!id.empty() && window_.count() > 0)
        {
            for (const auto& use : uses_[id])
                if (std::chrono::abs(use - time) < window_)
                {
                    ++duplicates;
                    return {};
                }
            uses_[id].push_back(time);
        }
        ++applied;
        const auto asset_views = ++assets[asset];
        return std::to_string(asset_views) + ' ' + std::to_string(++users[user]);
    }

    std::map<std::string, std::uint64_t> assets;
    std::map<std::string, std::uint64_t> users;
    std::uint64_t applied = 0;
    std::uint64_t duplicates = 0;

private:
    std::chrono::nanoseconds window_;
    std::map<std::string, std::vector<std::chrono::nanoseconds>> uses_;
};

struct all_counts : counts_sink
{
    bool wants(const stored_message&) override { return true; }
    void counted(const stored_message& m, std::string lines) override { of[m.sequence] = std::move(lines); }

    std::map<std::uint64_t, std::string> of;
};

std::string joined(const std::vector<std::string>& lines, const std::string& end = "\n")
{
    std::string all;
    for (const auto& each : lines)
        all += (all.empty() ? "" : end) + each;
    return all;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(projection_lines, file_fixture)

BOOST_AUTO_TEST_CASE(each_line_counts_or_rejects_itself_alone_named_by_sequence_and_line)
{
    auto counts = open();
    all_counts told;
    const std::vector<stored_message> messages = {
        stored(1, joined({event_json("e1", "a", "u"), "a:v", "nonsense", "", event_json("e2", "b", "u")})),
        stored(2, "a:u\r\n\r\nb:u\r\n"), stored(3, "\n\n"), stored(4, joined({event_json("e1", "a", "u"), "{}"}))};
    BOOST_REQUIRE(counts.stage(messages, &told).has_value());
    const auto& p = counts.progress();
    BOOST_TEST(p.applied == 5U);
    BOOST_TEST(p.duplicates == 1U);
    BOOST_TEST(p.rejected == 3U);
    BOOST_TEST(p.last_reject_sequence == 4U);
    BOOST_TEST(p.last_reject_reason.starts_with("line 2: "), p.last_reject_reason);
    BOOST_TEST(counts.asset_views(asset("a")).value() == 3U);
    BOOST_TEST(counts.user_views(user("u")).value() == 4U);
    BOOST_TEST(told.of[1] == "1 1\n2 1\nbad_request\n1 2\n");
    BOOST_TEST(told.of[2] == "3 3\n2 4\n");
    BOOST_TEST(told.of[4] == "3 4\nbad_request\n");
}

BOOST_AUTO_TEST_CASE(an_id_that_was_used_for_another_view_is_said_to_be_reused)
{
    auto counts = open();
    all_counts told;
    const std::vector<stored_message> messages = {
        stored(1, joined({event_json("k-1", "a", "u"), event_json("k-1", "b", "u"), event_json("k-1", "a", "u")})),
        stored(2, event_json("k-1", "a", "v")), stored(3, event_json("k-1", "a", "u"))};
    BOOST_REQUIRE(counts.stage(messages, &told).has_value());
    BOOST_TEST(told.of[1] == "1 1\nkey_reused\n1 1\n");
    BOOST_TEST(told.of[2] == "key_reused\n");
    BOOST_TEST(told.of[3] == "1 1\n");
}

BOOST_AUTO_TEST_CASE(an_event_alone_keeps_its_view_whatever_its_id_looks_like)
{
    auto counts = open();
    all_counts told;
    const auto id = std::string(batch_a) + ".0";
    const std::vector<stored_message> messages = {stored(1, event_json(id, "a", "u")),
                                                  stored(2, event_json(id, "b", "u")),
                                                  stored(3, joined({event_json(id, "b", "u"), "a:u"}))};
    BOOST_REQUIRE(counts.stage(messages, &told).has_value());
    BOOST_TEST(told.of[2] == "key_reused\n");
    BOOST_TEST(told.of[3] == "key_reused\n2 2\n");
    BOOST_TEST(counts.find_use(id).value()->asset == "a");
}

BOOST_AUTO_TEST_CASE(the_ids_of_a_batch_take_one_row_and_others_a_row_each)
{
    const std::string a(batch_a);
    {
        auto counts = open();
        const std::vector<stored_message> messages = {stored(
            1, joined({event_json(a + ".0", "a", "u"), event_json("k-1", "a", "u"), event_json(a + ".2", "a", "u"),
                       event_json(a + ".4", "a", "u"), event_json("order.4", "a", "u")}))};
        BOOST_REQUIRE(counts.apply(messages).has_value());
        BOOST_TEST(counts.progress().applied == 5U);
    }
    SQLite::Database file(settings.path);
    BOOST_TEST(file.execAndGet("SELECT count(*) FROM first_uses").getInt() == 3);
    BOOST_TEST(file.execAndGet("SELECT count(*) FROM batches").getInt() == 1);
    BOOST_TEST(file.execAndGet("SELECT hex(lines) FROM batches").getString() == "05"); // lines 0 and 2
}

BOOST_AUTO_TEST_CASE(a_row_for_a_batch_decides_as_a_row_for_each_id_does)
{
    std::mt19937 random(20261129); // NOLINT(cert-msc51-cpp): the same streams each time
    const auto any = [&](std::size_t below)
    { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random); };
    const std::vector<std::string> strangers = {"order.1",
                                                "order.2",
                                                std::string(batch_a),
                                                std::string(batch_a) + ".01",
                                                std::string(batch_b) + ".300",
                                                std::string(batch_a) + ".",
                                                "k-1"};
    for (int stream = 0; stream < 60; ++stream)
    {
        settings.path = folder.file("counts-" + std::to_string(stream) + ".db");
        settings.dedupe_window = std::chrono::seconds(any(4) == 0 ? 0 : 20);
        plain_model model(settings.dedupe_window);
        auto counts = open();
        all_counts told;
        std::map<std::uint64_t, std::vector<std::string>> expected;
        for (std::uint64_t sequence = 1; sequence <= 60; ++sequence)
        {
            const auto at = day_one + std::chrono::seconds(any(60));
            std::vector<std::string> lines;
            const auto size = 1 + any(6);
            const std::string batch = any(2) == 0 ? batch_a : batch_b;
            for (std::size_t line = 0; line < size; ++line)
            {
                const auto kind = any(10);
                const auto id = kind == 0   ? strangers[any(strangers.size())]
                                : kind == 1 ? (any(2) == 0 ? batch_a : batch_b) + ('.' + std::to_string(any(8)))
                                            : batch + '.' + std::to_string(line);
                const auto of = "a" + std::to_string(any(3));
                const auto by = "u" + std::to_string(any(3));
                if (kind == 2 && size > 1) // no event: it takes no id
                {
                    lines.push_back("{\"id\":\"" + id + "\"}");
                    expected[sequence].emplace_back("bad_request");
                    continue;
                }
                lines.push_back(event_json(id, of, by));
                if (!is_valid_event_id(id))
                    expected[sequence].emplace_back("bad_request");
                else
                    expected[sequence].push_back(model.count(id, of, by, sequence, at));
            }
            auto message = stored(sequence, joined(lines));
            message.timestamp = at;
            BOOST_REQUIRE(counts.stage(std::vector{message}, &told).has_value());
            if (any(5) == 0)
                BOOST_REQUIRE(counts.write_some(1 + any(4)).has_value());
            if (any(7) == 0)
                BOOST_REQUIRE(counts.commit().has_value());
            if (any(15) == 0)
            {
                BOOST_REQUIRE(counts.commit().has_value());
                counts = projection::none();
                counts = open();
            }
        }
        BOOST_TEST(counts.progress().applied == model.applied);
        BOOST_TEST(counts.progress().duplicates == model.duplicates);
        for (const auto& [id, views] : model.assets)
            BOOST_TEST(counts.asset_views(asset(id)).value() == views);
        for (const auto& [id, views] : model.users)
            BOOST_TEST(counts.user_views(user(id)).value() == views);
        for (const auto& [sequence, lines] : expected)
        {
            std::istringstream in(told.of[sequence]);
            for (const auto& each : lines)
            {
                std::string line;
                BOOST_TEST(static_cast<bool>(std::getline(in, line)));
                if (!each.empty()) // a duplicate has the counts of now, or is reused
                    BOOST_TEST(line == each);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
