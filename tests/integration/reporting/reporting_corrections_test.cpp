// Corrections among views, in a running instance: nothing behind one waits for a further message,
// and the ids of who is erased are hidden in the end.
#include "tests/integration/reporting/reporting_fixture.hpp"

#include <SQLiteCpp/Database.h>

#include <utility>

using namespace marquee;
using namespace marquee::test;

namespace
{

struct corrections_fixture : reporting_fixture
{
    int bursts = 0;

    corrections_fixture()
    {
        stream_config config;
        config.name = "EVENTS";
        config.subject = "events";
        config.further_subjects = {"events.admin"};
        until([&] { return wait(ensure_stream(hand->requests(), config, deadline::in(20s))).has_value(); });
    }

    /// Views with corrections between them, sent without waiting; the last sequence.
    std::uint64_t store_burst()
    {
        const auto burst = std::to_string(++bursts);
        std::vector<std::pair<subject, std::string>> all;
        const auto views = [&](int from, int to)
        {
            for (int i = from; i < to; ++i)
                all.emplace_back(subjects::events(),
                                 event("id-" + burst + '-' + std::to_string(i), "a", "u" + std::to_string(i % 20)));
        };
        views(0, 3000);
        for (int i = 0; i < 20; ++i)
            all.emplace_back(subjects::events_admin(), R"({"retract":"id-)" + burst + '-' + std::to_string(i) + "\"}");
        views(3000, 3010);
        for (int user = 0; user < 3; ++user)
            all.emplace_back(subjects::events_admin(), R"({"erase":"u)" + std::to_string(user) + "\"}");
        views(3010, 3100);
        const header_list none;
        std::vector<pending_reply> acks;
        acks.reserve(all.size());
        for (const auto& [to, payload] : all)
            acks.push_back(hand->requests().request(to, payload, none, deadline::in(60s)));
        std::uint64_t last = 0;
        for (auto& ack : acks)
        {
            const auto reply = wait(ack.receive());
            BOOST_REQUIRE(reply.has_value());
            last = boost::json::parse(reply->data).at("seq").to_number<std::uint64_t>();
        }
        return last;
    }

    /// What an instance that runs has written.
    [[nodiscard]] int in_file(const std::string& query) const
    {
        SQLite::Database db(database("one"), SQLite::OPEN_READONLY);
        db.setBusyTimeout(5000);
        return db.execAndGet(query).getInt();
    }

    void until_hidden()
    {
        until([&] { return in_file("SELECT count(*) FROM hidings") == 0; });
        BOOST_TEST(in_file("SELECT count(*) FROM erasures") == 3);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reporting_corrections, corrections_fixture)

BOOST_AUTO_TEST_CASE(a_burst_with_corrections_is_counted_to_its_end_and_what_is_erased_is_hidden)
{
    auto reporting = launch();
    require_caught_up(reporting);
    until_counted(store_burst());
    until_hidden();
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_CASE(what_is_hidden_goes_on_after_kills_and_a_rebuild)
{
    for (int round = 0; round < 3; ++round)
    {
        auto reporting = launch();
        require_caught_up(reporting);
        const auto last = store_burst();
        if (round == 1)
            until_counted(last);
        reporting.signal(SIGKILL);
        BOOST_TEST(reporting.wait(30s).has_value());
    }
    auto reporting = launch("one", {"--rebuild"});
    require_caught_up(reporting);
    BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": counted anew", 60s), reporting.output());
    until_hidden();
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_SUITE_END()
