// Each stream in streams/ is a test: published by marquee-replay to a real broker, counted by a
// real marquee-reporting, asked over NATS.
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include "schemas/event.hpp"
#include "tests/event_streams/counted.hpp"
#include "tests/event_streams/expected.hpp"
#include "tests/event_streams/run.hpp"
#include "tests/support/marquee_system.hpp"
#include "tools/replay/event_line.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <numeric>

using namespace marquee;
using namespace marquee::test;

namespace
{

/// What the stream's own lines tell.
struct stream_content
{
    std::uint64_t lines = 0;
    bool all_carry_an_id = true; ///< as Nats-Msg-Id: whatever is sent again is stored once
    std::set<std::string> assets;
    std::set<std::string> users;
};

stream_content read_content(const std::filesystem::path& file)
{
    stream_content out;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
    {
        ++out.lines;
        const auto event = replay::read_line(line, 1).value();
        out.all_carry_an_id = out.all_carry_an_id && !event.message_id.empty();
        if (const auto play = parse_event(event.payload); play.has_value())
        {
            out.assets.insert(play->asset.text());
            out.users.insert(play->user.text());
        }
    }
    return out;
}

std::uint64_t sum_of(const view_counts& counts)
{
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t(0),
                           [](std::uint64_t sum, const auto& each) { return sum + each.second; });
}

/// The most viewed first, equals in byte order: what reporting.top is to answer.
top_reply most_viewed(const view_counts& assets, std::size_t limit)
{
    std::vector<views_reply> all;
    for (const auto& [id, views] : assets)
        all.push_back({id, views});
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.views > b.views; });
    all.resize(std::min(all.size(), limit));
    return {std::move(all)};
}

void check_views(const char* what, const view_counts& expected, const view_counts& found, bool all)
{
    for (const auto& [id, views] : expected)
        if (const auto at = found.find(id); (at == found.end() ? 0 : at->second) != views)
            BOOST_ERROR(what << ' ' << id << ": " << (at == found.end() ? 0 : at->second) << " views, expected "
                             << views);
    if (all)
        for (const auto& [id, views] : found)
            if (!expected.contains(id))
                BOOST_ERROR(what << ' ' << id << ": " << views << " views, expected none");
}

/// A broker, a reporting, and one stream of tests/event_streams/streams.
class stream_test
{
public:
    explicit stream_test(const std::string& name)
        : name_(name), expected_(read_expected(stream_folder() / (name + ".expected"))), system_(settings()),
          client_(system_.broker().url()), file_(make_stream(name, system_.folder())), content_(read_content(file_))
    {
    }

    [[nodiscard]] const stream_content& content() const { return content_; }
    [[nodiscard]] std::string rate() const { return std::to_string(static_cast<double>(content_.lines) / 30); }

    replay_outcome replay(const std::vector<std::string>& more = {})
    {
        return replay_all(system_.broker().url(), file_, more);
    }

    /// Starts it so slowly that it would take half a minute, and lets a signal end it once it is
    /// under way.
    void interrupt(int signal)
    {
        const auto before = replay::load_progress(file_.string() + ".progress").value();
        replay_run slowly(system_.broker().url(), file_, {"--rate", rate()});
        const auto state = slowly.wait_until_beyond(before ? before->at.line : 0);
        slowly.program().signal(signal);
        const auto outcome = slowly.wait();
        BOOST_TEST(outcome.code == (signal == SIGKILL ? 128 + SIGKILL : 0));
        BOOST_TEST(state.at.offset < std::filesystem::file_size(file_));
    }

    /// The report of a replay that came to the end.
    void check_report(const replay_outcome& outcome, bool exactly) const
    {
        BOOST_TEST_CONTEXT(outcome.output)
        {
            BOOST_TEST(outcome.code == 0);
            BOOST_TEST(outcome.counts.acknowledged == content_.lines);
            BOOST_TEST(outcome.counts.rejected == expected_.rejected);
            BOOST_TEST(outcome.counts.refused == 0);
            if (exactly)
                BOOST_TEST(outcome.counts.duplicate == expected_.duplicates_at_broker);
        }
        BOOST_TEST(outcome.output.find("may be counted twice") == std::string::npos);
    }

    /// `batches`: JetStream has found no duplicate, and not each event is a message.
    void check_counts(bool batches = false)
    {
        client_.wait_until_counted();
        auto ids = content_;
        for (const auto& [id, views] : expected_.assets)
            ids.assets.insert(id);
        for (const auto& [id, views] : expected_.users)
            ids.users.insert(id);
        const auto assets = client_.assets(ids.assets);
        const auto users = client_.users(ids.users);
        const auto statistics = client_.statistics();
        // Equal sums: nothing was counted for an id that was not asked for.
        BOOST_TEST(sum_of(assets) == statistics.applied);
        BOOST_TEST(sum_of(users) == statistics.applied);
        BOOST_TEST(statistics.duplicates == expected_.duplicates + (batches ? expected_.duplicates_at_broker : 0));
        BOOST_TEST(statistics.rejected == expected_.rejected);
        BOOST_TEST((statistics.applied + statistics.duplicates + statistics.rejected == client_.stored()) == !batches);
        check_views("asset", expected_.assets, assets, expected_.sha256.empty());
        check_views("user", expected_.users, users, expected_.sha256.empty());
        check_sum(assets, users);
        const auto top = client_.top(1000);
        BOOST_TEST(encode(top) == encode(most_viewed(assets, 1000)));
    }

    void rebuild()
    {
        BOOST_TEST(system_.stop("reporting") == 0);
        for (const char* end : {"", "-wal", "-shm"})
            std::filesystem::remove(system_.database().string() + end);
        system_.start("reporting");
    }

private:
    marquee_system::settings settings() const
    {
        marquee_system::settings with;
        with.start = {"reporting"};
        with.extra["reporting"] = expected_.reporting;
        return with;
    }

    void check_sum(const view_counts& assets, const view_counts& users) const
    {
        if (expected_.sha256.empty())
            return;
        const std::string kept = MARQUEE_BINARY_DIR "/../" + name_ + ".counts";
        std::ofstream(kept, std::ios::binary) << canonical_text(assets, users);
        const auto sum = replay::identify(kept).value().sha256;
        BOOST_TEST(sum == expected_.sha256, "the sum of all counts is " << sum << "; they stand in " << kept);
    }

    std::string name_;
    expected_counts expected_;
    marquee_system system_;
    counts_client client_;
    std::filesystem::path file_;
    stream_content content_;
};

void counts_as_expected(const std::string& name)
{
    stream_test stream(name);
    stream.check_report(stream.replay(), true);
    stream.check_counts();
    stream.rebuild();
    stream.check_counts();
}

void counts_the_same_in_batches(const std::string& name)
{
    stream_test stream(name);
    stream.check_report(stream.replay({"--batch", "50"}), false);
    stream.check_counts(true);
    stream.rebuild();
    stream.check_counts(true);
}

void counts_the_same_when_interrupted(const std::string& name)
{
    stream_test stream(name);
    if (stream.content().all_carry_an_id)
        stream.interrupt(SIGKILL);
    stream.interrupt(SIGTERM);
    stream.check_report(stream.replay(), !stream.content().all_carry_an_id);
    stream.check_counts();
}

bool add_tests()
{
    namespace ut = boost::unit_test;
    auto& all = ut::framework::master_test_suite();
    all.p_name.value = "streams";
    for (const auto& name : stream_names())
    {
        all.add(ut::make_test_case([name] { counts_as_expected(name); },
                                   name + "_counts_as_expected_and_again_after_a_rebuild", __FILE__, __LINE__));
        if (read_expected(stream_folder() / (name + ".expected")).in_batches)
            all.add(ut::make_test_case([name] { counts_the_same_in_batches(name); },
                                       name + "_counts_the_same_when_its_events_share_messages", __FILE__, __LINE__));
        all.add(ut::make_test_case([name] { counts_the_same_when_interrupted(name); },
                                   name + "_counts_the_same_when_the_replay_is_interrupted", __FILE__, __LINE__));
    }
    return true;
}

} // namespace

int main(int argc, char** argv) { return boost::unit_test::unit_test_main(&add_tests, argc, argv); }
