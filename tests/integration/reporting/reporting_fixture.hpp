// marquee-reporting as a process on a real broker, with files of its own.
#pragma once

#include "schemas/event.hpp"
#include "schemas/ulid.hpp"
#include "services/reporting/projection/projection.hpp"
#include "tests/integration/reporting/stepwise_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/store_copy.hpp"

#include <cmath>
#include <csignal>
#include <ctime>
#include <sstream>
#include <vector>

namespace marquee::test
{

inline const subject stream_info = subject::of({"$JS", "API", "STREAM", "INFO", "EVENTS"});
inline const subject stream_purge = subject::of({"$JS", "API", "STREAM", "PURGE", "EVENTS"});

struct reporting_fixture : stepwise_fixture
{
    using arguments = std::vector<std::string>;

    /// Of the databases; removed at the end.
    std::filesystem::path folder = make_folder();

    ~reporting_fixture()
    {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    static std::filesystem::path make_folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "marquee_reporting_XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        return pattern;
    }

    [[nodiscard]] std::string database(const std::string& name) const { return (folder / (name + ".db")).string(); }

    [[nodiscard]] process launch(const std::string& name = "one", const arguments& more = {}) const
    {
        arguments words{"--server", server.url(), "--db", database(name)};
        words.insert(words.end(), more.begin(), more.end());
        return {MARQUEE_BINARY_DIR "/marquee-reporting", words};
    }

    /// Waits until it has caught up, and the broker knows.
    void require_caught_up(process& reporting)
    {
        BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": caught up", 60s), reporting.output());
        until([&] { return code_of(ask("asset", "a")) != "no_responders"; });
    }

    static void stop(process& reporting)
    {
        reporting.signal(SIGTERM);
        BOOST_TEST(reporting.wait(30s).value_or(-1) == 0, reporting.output());
    }

    /// Starts it, lets it catch up, and stops it.
    void run_once(const std::string& name = "one", const arguments& more = {})
    {
        auto reporting = launch(name, more);
        require_caught_up(reporting);
        stop(reporting);
    }

    /// It ends by itself, with exit code 1 and an error line that holds `part`.
    static void require_refusal(process& reporting, const std::string& part)
    {
        BOOST_TEST(reporting.wait(20s).value_or(-1) == 1, reporting.output());
        (void)reporting.wait_for_line(part, 2s); // the output may come after the end
        BOOST_TEST(reporting.output().find(part) != std::string::npos, part << " is not in: " << reporting.output());
        BOOST_TEST(reporting.output().find(" error ") != std::string::npos, reporting.output());
    }

    /// It goes on running, out of its queue group, and says why in its log and statistics.
    void require_alarm(process& reporting, const std::string& part)
    {
        // Seconds after the consumer is gone: meanwhile this loop has to answer the broker's pings.
        until([&] { return reporting.output().find("counting has stopped") != std::string::npos; }, 60s);
        const auto line = reporting.wait_for_line("counting has stopped", 1s);
        BOOST_REQUIRE_MESSAGE(line, reporting.output());
        BOOST_TEST(line->find(" error ") != std::string::npos, *line);
        BOOST_TEST(line->find(part) != std::string::npos, part << " is not in: " << *line);
        const auto data = statistics().at(0).as_object();
        BOOST_REQUIRE(data.contains("alarm"));
        BOOST_TEST(std::string(data.at("alarm").as_string()).find(part) != std::string::npos, data.at("alarm"));
        BOOST_TEST(data.at("serving") == false);
        BOOST_TEST(code_of(ask("asset", "a")) == "no_responders");
        BOOST_TEST(reporting.running());
    }

    /// Stores payloads and returns the sequence of the last one.
    std::uint64_t store(const std::vector<std::string>& payloads)
    {
        const auto to = subjects::events();
        const header_list none;
        std::uint64_t last = 0;
        for (std::size_t at = 0; at < payloads.size();)
        {
            std::vector<pending_reply> acks;
            for (; at < payloads.size() && acks.size() < 1000; ++at)
                acks.push_back(hand->requests().request(to, payloads[at], none, deadline::in(60s)));
            for (auto& ack : acks)
            {
                const auto reply = wait(ack.receive());
                BOOST_REQUIRE(reply.has_value());
                last = boost::json::parse(reply->data).at("seq").to_number<std::uint64_t>();
            }
        }
        return last;
    }

    std::uint64_t store(std::size_t times, const std::string& payload)
    {
        return store(std::vector<std::string>(times, payload));
    }

    static std::string event(const std::string& id, const std::string& asset, const std::string& user)
    {
        return encode_event(id, asset_id::parse(asset).value(), user_id::parse(user).value(),
                            std::chrono::system_clock::now());
    }

    void make_stream()
    {
        stream_config config;
        config.name = "EVENTS";
        config.subject = "events";
        until( // the server may still hold files of one that was deleted
            [&] { return wait(ensure_stream(hand->requests(), config, deadline::in(20s))).has_value(); });
    }

    /// The stream's timestamp of a message.
    std::chrono::nanoseconds time_of(std::uint64_t sequence)
    {
        const auto answer = api(subject::of({"$JS", "API", "STREAM", "MSG", "GET", "EVENTS"}),
                                "{\"seq\":" + std::to_string(sequence) + "}");
        const std::string text(answer.at("message").at("time").as_string());
        std::tm utc{};
        const char* fraction = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
        BOOST_REQUIRE(fraction != nullptr);
        const std::chrono::nanoseconds second = std::chrono::seconds(::timegm(&utc));
        return second + std::chrono::nanoseconds(
                            std::llround(std::strtod(("0" + std::string(fraction)).c_str(), nullptr) * 1e9));
    }

    /// Requests reporting.<what>.<id>[.<id>] with `limit` as `Marquee-Timeout`.
    result<message> ask(std::string_view what, std::string_view id, std::string_view user = {},
                        header_list headers = {}, std::chrono::milliseconds limit = 10s)
    {
        headers.set(names::header_timeout, std::to_string(limit.count()));
        const auto to =
            user.empty() ? subject::of({"reporting", what, id}) : subject::of({"reporting", what, id, user});
        return wait(hand->requests().request(to, {}, headers, deadline::in(limit + 20s)).receive());
    }

    /// The views of an asset; 0 where there are none. Waits until an instance answers.
    std::uint64_t views(std::string_view asset)
    {
        result<message> reply = fail(errc::timeout);
        until(
            [&]
            {
                reply = ask("asset", asset);
                return reply.has_value() || reply.error() == errc::asset_not_found;
            });
        return reply.has_error() ? 0 : boost::json::parse(reply->data).at("views").to_number<std::uint64_t>();
    }

    /// The data of the first endpoint in STATS, of `count` instances.
    std::vector<boost::json::value> statistics(std::size_t count = 1)
    {
        std::vector<boost::json::value> all;
        const auto inbox = hand->new_inbox();
        const auto listening =
            hand->subscribe(inbox, {},
                            [&](const message& m)
                            {
                                if (!m.data.empty())
                                    all.push_back(boost::json::parse(m.data).at("endpoints").at(0).at("data"));
                            })
                .value();
        auto ask_again = deadline::in(0ms);
        until(
            [&]
            {
                if (all.size() >= count)
                    return true;
                if (ask_again.passed()) // one that is still reconnecting has missed it
                {
                    all.clear();
                    ask_again = deadline::in(1s);
                    BOOST_REQUIRE(hand->publish("$SRV.STATS.reporting", {}, {}, inbox).has_value());
                }
                return false;
            });
        return all;
    }

    /// Waits until `count` instances have counted everything up to `sequence`.
    void until_counted(std::uint64_t sequence, std::size_t count = 1)
    {
        until(
            [&]
            {
                for (const auto& data : statistics(count))
                    if (data.at("last_sequence").to_number<std::uint64_t>() < sequence)
                        return false;
                return true;
            });
    }

    /// Of a file that no process uses.
    [[nodiscard]] std::string dump(const std::string& name = "one",
                                   std::chrono::nanoseconds window = std::chrono::hours(24)) const
    {
        projection_settings settings;
        settings.path = database(name);
        settings.dedupe_window = window;
        auto counts = projection::open(settings);
        BOOST_REQUIRE_MESSAGE(counts.has_value(), counts.error().detail);
        std::ostringstream out;
        BOOST_REQUIRE(counts->dump(out).has_value());
        return out.str();
    }

    /// The file counts what a fresh one counts of the same stream, to the byte.
    void require_exact(const std::string& name = "one", const arguments& more = {},
                       std::chrono::nanoseconds window = std::chrono::hours(24))
    {
        run_once("fresh", more);
        BOOST_TEST(dump(name, window) == dump("fresh", window));
        for (const auto* suffix : {"", "-wal", "-shm", ".lock"})
            std::filesystem::remove(database("fresh") + suffix);
    }
};

} // namespace marquee::test
