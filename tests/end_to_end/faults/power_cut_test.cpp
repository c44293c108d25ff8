// A power cut of the broker's disk: what each durability profile keeps, and how reporting notices
// the loss.
#include "tests/support/blocking_nats.hpp"
#include "tests/support/disk.hpp"
#include "tests/support/full_size.hpp"
#include "tests/support/marquee_system.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;
using wall = std::chrono::steady_clock;

namespace
{

constexpr const char* no_mount = "skipped: mounting is not permitted here";

int rounds() { return is_full() ? 10 : 2; }

/// A broker under one of the profiles that ./run offers, its store on a disk that can lose its
/// power.
class profile_broker
{
public:
    profile_broker(std::string profile, const disk& on) : profile_(std::move(profile)), store_(on.where() / "nats")
    {
        start();
    }

    void start()
    {
        running_ = std::make_unique<process>(
            nats_server_path(),
            std::vector<std::string>{"-c", MARQUEE_SOURCE_DIR "/broker/nats-server/" + profile_ + ".conf", "-p", port_,
                                     "-sd", store_.string()});
        const std::string listening = "Listening for client connections on 127.0.0.1:";
        const auto line = running_->wait_for_line(listening, 60s);
        BOOST_REQUIRE_MESSAGE(line && running_->wait_for_line("Server is ready", 60s), running_->output());
        port_ = std::to_string(std::stoi(line->substr(line->find(listening) + listening.size())));
    }

    void kill() { running_.reset(); }
    [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + port_; }

private:
    std::string profile_;
    std::filesystem::path store_;
    std::string port_ = "-1"; ///< the server picks one
    std::unique_ptr<process> running_;
};

/// Events that were acknowledged, each with its time; sequence numbers from 1 without a gap.
class acknowledged_events
{
public:
    explicit acknowledged_events(blocking_nats& nats) : nats_(nats) {}

    /// Stores events for `time`, some dozens in flight at once.
    void store(std::chrono::milliseconds time)
    {
        const auto to = subjects::events();
        const auto end = wall::now() + time;
        while (wall::now() < end)
        {
            std::vector<pending_reply> acks;
            for (int i = 0; i < 32; ++i)
                acks.push_back(nats_.send(to, "a:u"));
            for (auto& ack : acks)
            {
                const auto reply = nats_.wait(ack.receive());
                BOOST_REQUIRE(reply.has_value());
                BOOST_REQUIRE(boost::json::parse(reply->data).at("seq") == times_.size() + 1);
                times_.push_back(wall::now());
            }
        }
    }

    [[nodiscard]] std::uint64_t count() const { return times_.size(); }

    /// Seconds between the acknowledgement of the first lost event (after `kept`) and `cut`; 0
    /// where none is lost.
    [[nodiscard]] double lost_time(std::uint64_t kept, wall::time_point cut) const
    {
        return kept >= count() ? 0 : std::chrono::duration<double>(cut - times_[kept]).count();
    }

private:
    blocking_nats& nats_;
    std::vector<wall::time_point> times_;
};

struct power_fixture
{
    power_fixture()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "marquee_power_XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        folder = pattern;
    }
    ~power_fixture()
    {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    [[nodiscard]] process reporting(const std::string& url, const std::vector<std::string>& more = {}) const
    {
        std::vector<std::string> words{"--server", url, "--db", (folder / "reporting.db").string()};
        words.insert(words.end(), more.begin(), more.end());
        return {program("marquee-reporting"), words};
    }

    static void make_stream(blocking_nats& nats)
    {
        stream_config config;
        config.name = "EVENTS";
        config.subject = "events";
        BOOST_REQUIRE(nats.wait(ensure_stream(nats.requests(), config, deadline::in(20s))).has_value());
    }

    static std::uint64_t views(blocking_nats& nats)
    {
        std::uint64_t found = 0;
        const bool answered = nats.until(
            [&]
            {
                const auto reply = nats.request(subject::of({"reporting", "asset", "a"}));
                if (reply.has_value())
                    found = boost::json::parse(reply->data).at("views").to_number<std::uint64_t>();
                return reply.has_value();
            });
        BOOST_TEST(answered);
        return found;
    }

    /// The last sequence number in the stream, which starts at 1 and has no gap.
    static std::uint64_t kept_events(blocking_nats& nats)
    {
        BOOST_REQUIRE(nats.until([&] { return nats.connected() && nats.stream("EVENTS").has_value(); }));
        const auto stream = nats.stream("EVENTS").value();
        BOOST_TEST((stream.messages == 0 || stream.first_sequence == 1U));
        BOOST_TEST(stream.messages == stream.last_sequence);
        return stream.last_sequence;
    }

    /// Cuts the power of the disk and restores it.
    static void cut(disk& of, profile_broker& broker, blocking_nats& nats)
    {
        of.cut_power();
        broker.kill();
        BOOST_REQUIRE(nats.until([&] { return !nats.connected(); }));
        of.remount();
        broker.start();
    }

    std::filesystem::path folder;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(power_cut, power_fixture)

BOOST_AUTO_TEST_CASE(the_strict_profile_loses_nothing)
{
    for (int round = 1; round <= rounds(); ++round)
    {
        const auto drive = disk::ext4(folder / ("disk-" + std::to_string(round)), 256 << 20);
        if (!drive)
        {
            BOOST_TEST_MESSAGE(no_mount);
            return;
        }
        profile_broker broker("strict", *drive);
        blocking_nats nats(broker.url());
        make_stream(nats);
        acknowledged_events events(nats);
        events.store(std::chrono::milliseconds(500 + 300 * (round % 5)));
        cut(*drive, broker, nats);
        const auto kept = kept_events(nats);
        BOOST_TEST_MESSAGE("strict, round " << round << ": acknowledged " << events.count() << ", kept " << kept);
        BOOST_TEST(kept >= events.count());
        BOOST_TEST(nats.request(subjects::events(), "a:u").has_value());
        BOOST_TEST(kept_events(nats) == kept + 1);
    }
}

BOOST_AUTO_TEST_CASE(the_fast_profile_loses_the_last_events_and_reporting_raises_an_alarm)
{
    bool told = false;
    for (int round = 1; round <= rounds(); ++round)
    {
        const auto drive = disk::ext4(folder / ("disk-" + std::to_string(round)), 256 << 20);
        if (!drive)
        {
            BOOST_TEST_MESSAGE(no_mount);
            return;
        }
        profile_broker broker("fast", *drive);
        blocking_nats nats(broker.url());
        auto counting = reporting(broker.url(), {"--rebuild"});
        BOOST_REQUIRE_MESSAGE(counting.wait_for_line("caught up", 60s), counting.output());
        drive->sync(); // as ./run does when the streams exist
        acknowledged_events events(nats);
        events.store(std::chrono::milliseconds(2000 + 370 * (round % 5)));
        const auto power_off = wall::now();
        BOOST_REQUIRE(nats.until([&] { return views(nats) == events.count(); }));
        cut(*drive, broker, nats);

        const auto kept = kept_events(nats); // so the stream exists
        const auto lost = events.lost_time(kept, power_off);
        BOOST_TEST_MESSAGE("fast, round " << round << ": acknowledged " << events.count() << ", kept " << kept
                                          << ", lost the last " << lost << " s");
        BOOST_TEST(lost <= 1.5);
        if (kept < events.count())
        {
            told = true;
            const auto line = counting.wait_for_line("the stream ends at sequence " + std::to_string(kept), 30s);
            BOOST_TEST_REQUIRE(line.has_value(), counting.output());
            BOOST_TEST(line->find(" error ") != std::string::npos, *line);
            counting.signal(SIGTERM);
            counting.wait();
            auto refused = reporting(broker.url());
            BOOST_TEST(refused.wait().value_or(-1) == 1, refused.output());
        }
        counting.signal(SIGTERM);
        counting.wait();
        auto again = reporting(broker.url(), {"--rebuild"});
        BOOST_REQUIRE_MESSAGE(again.wait_for_line("caught up", 60s), again.output());
        BOOST_TEST(views(nats) == kept);
        BOOST_TEST(nats.request(subjects::events(), "a:u").has_value());
        BOOST_TEST(nats.until([&] { return views(nats) == kept + 1; }));
    }
    BOOST_TEST(told); // else no round lost anything, and the test shows nothing
}

BOOST_AUTO_TEST_SUITE_END()
