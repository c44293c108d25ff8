// marquee-replay against a real broker: what it does when something is wrong, or away, or in its
// way.
#include "tests/event_streams/counted.hpp"
#include "tests/event_streams/run.hpp"
#include "tests/support/marquee_system.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>

#include <sys/stat.h>

using namespace marquee;
using namespace marquee::test;

namespace
{

std::string event(int number)
{
    const auto text = std::to_string(number);
    return R"({"id":"e)" + text + R"(","asset":"123","user":")" + std::to_string(number % 7) +
           R"(","time":"2026-01-31T09:30:00Z"})" + '\n';
}

std::string events(int from, int to)
{
    std::string all;
    for (int i = from; i <= to; ++i)
        all += event(i);
    return all;
}

struct replay_fixture
{
    explicit replay_fixture(std::string broker = {}, std::vector<std::string> reporting = {})
        : system(settings(std::move(broker), std::move(reporting))), client(system.broker().url())
    {
    }

    static marquee_system::settings settings(std::string broker, std::vector<std::string> reporting)
    {
        marquee_system::settings with;
        with.broker = std::move(broker);
        with.start = {"reporting"};
        with.extra = {{"reporting", std::move(reporting)}};
        return with;
    }

    replay_outcome replay(const std::vector<std::string>& more = {})
    {
        return replay_all(system.broker().url(), folder.path() / "events", more);
    }

    /// All views of asset 123, once reporting has counted everything.
    std::uint64_t views()
    {
        client.wait_until_counted();
        return client.assets({"123"})["123"];
    }

    scratch_folder folder;
    marquee_system system;
    counts_client client;
};

bool has(const replay_outcome& outcome, const std::string& part)
{
    return outcome.output.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(replaying)

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_command_line_is_one_line_and_exit_2)
{
    const std::vector<std::string> rows[] = {
        {},
        {"a", "b"},
        {"a", "--rate", "0"},
        {"a", "--rate", "many"},
        {"a", "--rate", "-1"},
        {"a", "--rate", "nan"},
        {"a", "--batch", "0"},
        {"a", "--batch", "257"},
        {"a", "--batch", "-1"},
        {"a", "--timeout", "0"},
        {"a", "--progress", "-1"},
        {"a", "--window", "5"},
        {"a", "--server", "http://x"},
        {"-", "--loop"},
        {"-", "--state", "s"},
        {"a", "--skip-bad", "a"},
        {"/dev/null", "--loop"},
    };
    for (const auto& words : rows)
    {
        process replay(program("marquee-replay"), words);
        BOOST_TEST_CONTEXT(replay.output())
        {
            BOOST_TEST(replay.wait().value() == 2);
            BOOST_TEST(replay.wait_for_line("marquee-replay: ").has_value());
        }
    }
    process help(program("marquee-replay"), {"--help"});
    BOOST_TEST(help.wait().value() == 0);
    BOOST_TEST(help.wait_for_line("After a crash").has_value());
}

BOOST_AUTO_TEST_CASE(a_file_or_a_broker_that_is_not_there_is_exit_1)
{
    const scratch_folder folder;
    const auto no_file = replay_all("nats://127.0.0.1:1", folder.path() / "events");
    BOOST_TEST(no_file.code == 1);
    BOOST_TEST(has(no_file, "No such file"));
    const auto no_broker = replay_all("nats://127.0.0.1:1", folder.write("events", event(1)));
    BOOST_TEST(no_broker.code == 1);
    BOOST_TEST(has(no_broker, "cannot connect to nats://127.0.0.1:1"));
}

BOOST_AUTO_TEST_CASE(without_a_stream_it_says_who_makes_it_and_gives_up_in_time)
{
    const scratch_folder folder;
    const nats_server broker;
    const auto outcome = replay_all(broker.url(), folder.write("events", event(1)), {"--timeout", "0.2"});
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(has(outcome, "line 1: no stream takes subject events (marquee-reporting makes it)"));
}

BOOST_FIXTURE_TEST_CASE(what_is_acknowledged_is_not_sent_again_without_restart, replay_fixture)
{
    folder.write("events", events(1, 3) + "\"123:1\"\n");
    BOOST_TEST(replay().counts.acknowledged == 4);
    const auto again = replay();
    BOOST_TEST(again.code == 0);
    BOOST_TEST(again.counts.acknowledged == 4);
    BOOST_TEST(has(again, "acknowledged already"));
    BOOST_TEST(client.stored() == 4);

    const auto restarted = replay({"--restart"});
    BOOST_TEST(restarted.code == 0);
    BOOST_TEST(restarted.counts.acknowledged == 4);
    BOOST_TEST(restarted.counts.duplicate == 3);
    BOOST_TEST(client.stored() == 5); // the text event carries no id
    BOOST_TEST(views() == 5);
}

BOOST_FIXTURE_TEST_CASE(a_file_whose_sent_part_has_changed_is_noticed, replay_fixture)
{
    folder.write("events", events(1, 3));
    BOOST_TEST(replay().code == 0);
    const std::pair<std::string, std::string> rows[] = {
        {events(2, 4), "the part that was sent has changed"},
        {events(2, 9), "the part that was sent has changed"},
        {events(1, 2), "is shorter than it was"},
    };
    for (const auto& [other, complaint] : rows)
    {
        folder.write("events", other);
        const auto outcome = replay();
        BOOST_TEST(outcome.code == 1);
        BOOST_TEST(has(outcome, complaint), outcome.output);
    }
    BOOST_TEST(client.stored() == 3);
    folder.write("events", events(2, 4));
    BOOST_TEST(replay({"--restart"}).code == 0);
    BOOST_TEST(views() == 4);
}

BOOST_FIXTURE_TEST_CASE(a_file_may_be_corrected_and_grow_behind_what_was_sent, replay_fixture)
{
    folder.write("events", events(1, 3) + "no event\n");
    BOOST_TEST(replay().code == 1);
    folder.write("events", events(1, 5));
    const auto corrected = replay();
    BOOST_TEST(corrected.code == 0);
    BOOST_TEST(corrected.counts.acknowledged == 5);
    folder.write("events", events(1, 9));
    const auto grown = replay();
    BOOST_TEST(grown.code == 0);
    BOOST_TEST(grown.counts.acknowledged == 9);
    BOOST_TEST(grown.counts.duplicate == 0);
    BOOST_TEST(views() == 9);
}

BOOST_FIXTURE_TEST_CASE(bad_lines_can_be_kept_elsewhere_and_the_rest_is_sent, replay_fixture)
{
    folder.write("events", events(1, 1500) + "123:42\n \n" + events(1501, 1502) + "[1]\n\"{\"\n" + event(1503));
    const auto outcome = replay({"--skip-bad", folder.path() / "bad"});
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(outcome.counts.acknowledged == 1504);
    BOOST_TEST(outcome.counts.rejected == 1);
    BOOST_TEST(has(outcome, ", skipped 2"));
    BOOST_TEST(has(outcome, "a line is skipped"));
    BOOST_TEST(has(outcome, "1501"));
    BOOST_TEST(has(outcome, "reporting will reject a line"));
    std::ifstream in(folder.path() / "bad");
    BOOST_TEST((std::string(std::istreambuf_iterator<char>(in), {}) == "123:42\n[1]\n"));
    BOOST_TEST(views() == 1503);
    BOOST_TEST(has(replay(), "acknowledged already"));
}

BOOST_FIXTURE_TEST_CASE(a_file_for_bad_lines_that_cannot_be_written_ends_it, replay_fixture)
{
    folder.write("events", events(1, 3));
    const auto outcome = replay({"--skip-bad", folder.path() / "none" / "bad"});
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(has(outcome, "cannot be written"));
    BOOST_TEST(client.stored() == 0);
    BOOST_TEST(replay({"--skip-bad", "/dev/full"}).code == 0); // nothing is to be written
    folder.write("events", events(1, 3) + "[1]\n" + event(4));
    const auto full = replay({"--skip-bad", "/dev/full"});
    BOOST_TEST(full.code == 1);
    BOOST_TEST(has(full, "/dev/full: cannot be written"));
    BOOST_TEST(replay({"--skip-bad", folder.path() / "bad"}).code == 0);
    BOOST_TEST(views() == 4);
}

BOOST_FIXTURE_TEST_CASE(a_stream_is_replayed_as_it_comes_and_keeps_no_state, replay_fixture)
{
    const auto fifo = folder.path() / "fifo";
    BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    replay_run running(system.broker().url(), fifo);
    {
        std::ofstream out(fifo);
        out << events(1, 3) << std::flush;
        client.wait_until_stored(3); // before there is more
        out << events(4, 2000);
    }
    const auto outcome = running.wait();
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(outcome.counts.acknowledged == 2000);
    BOOST_TEST(!std::filesystem::exists(fifo.string() + ".progress"));
    BOOST_TEST(views() == 2000);
}

BOOST_FIXTURE_TEST_CASE(standard_input_is_a_stream_and_a_stop_ends_the_wait_for_it, replay_fixture)
{
    const auto shell = [this](const std::string& command)
    {
        process run("/bin/bash", {"-c", command, program("marquee-replay"), system.broker().url()});
        BOOST_TEST(run.wait().value() == 0, run.output());
        return run.output();
    };
    folder.write("events", events(1, 5));
    const auto file = (folder.path() / "events").string();
    BOOST_TEST(shell("\"$0\" --server \"$1\" - <" + file).find("acknowledged 5") != std::string::npos);
    BOOST_TEST(shell("cat " + file + " | \"$0\" --server \"$1\" -").find("acknowledged 5") != std::string::npos);
    BOOST_TEST(!std::filesystem::exists("-.progress"));
    BOOST_TEST(views() == 5);

    const auto fifo = folder.path() / "fifo";
    BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    replay_run waiting(system.broker().url(), fifo);
    std::ofstream out(fifo);
    out << event(6) << std::flush;
    client.wait_until_stored(6);
    waiting.program().signal(SIGTERM);
    const auto stopped = waiting.wait();
    BOOST_TEST(stopped.code == 0);
    BOOST_TEST(has(stopped, "a stream keeps no state"));
    BOOST_TEST(views() == 6);
}

BOOST_AUTO_TEST_CASE(a_check_sends_nothing_and_needs_no_broker)
{
    const scratch_folder folder;
    const auto check = [&](const std::string& text)
    { return replay_all("nats://127.0.0.1:1", folder.write("events", text), {"--check"}); };
    const auto good = check(events(1, 3) + "\"{\"\n");
    BOOST_TEST(good.code == 0);
    BOOST_TEST(has(good, "line 4: reporting will reject it: "));
    BOOST_TEST(has(good, "events 4, to be rejected 1, bad lines 0"));
    const auto bad = check(events(1, 3) + "123:42\n" + event(4));
    BOOST_TEST(bad.code == 1);
    BOOST_TEST(has(bad, "line 4: a line is an event"));
    BOOST_TEST(has(bad, "events 4, to be rejected 0, bad lines 1"));
    const auto packed = check("\x1F\x8B\x08 and so on");
    BOOST_TEST(packed.code == 1);
    BOOST_TEST(has(packed, "gzip"));
    BOOST_TEST(!std::filesystem::exists(folder.path() / "events.progress"));
}

BOOST_FIXTURE_TEST_CASE(a_state_file_that_is_none_is_left_alone, replay_fixture)
{
    folder.write("events", event(1));
    const auto state = folder.write("notes", "mine\n");
    const auto outcome = replay({"--state", state});
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(has(outcome, "is no state of a replay"));
    BOOST_TEST(client.stored() == 0);
    BOOST_TEST(replay({"--state", folder.path() / "other"}).code == 0);
    BOOST_TEST(std::filesystem::exists(folder.path() / "other"));
}

BOOST_FIXTURE_TEST_CASE(a_line_that_is_no_event_line_is_named_and_nothing_before_it_is_lost, replay_fixture)
{
    folder.write("events", events(1, 2000) + "123:42\n" + events(2001, 2010));
    for (int run = 0; run < 2; ++run)
    {
        const auto outcome = replay();
        BOOST_TEST(outcome.code == 1);
        BOOST_TEST(has(outcome, "line 2001: a line is an event"));
        BOOST_TEST(outcome.counts.acknowledged == 2000);
    }
    BOOST_TEST(views() == 2000);
}

BOOST_AUTO_TEST_CASE(a_line_larger_than_the_broker_takes_is_named_and_nothing_before_it_is_lost)
{
    replay_fixture on("max_payload: 4096");
    on.folder.write("events", events(1, 2000) + '"' + std::string(5000, 'x') + ":1\"\n" + events(2001, 2010));
    const auto outcome = on.replay();
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(has(outcome, "line 2001: the message is larger than the broker takes"));
    BOOST_TEST(outcome.counts.acknowledged == 2000);
    BOOST_TEST(on.views() == 2000);
    const auto without = on.replay({"--skip-bad", on.folder.path() / "bad"});
    BOOST_TEST(without.code == 0);
    BOOST_TEST(has(without, ", skipped 1"));
    BOOST_TEST(on.views() == 2010);
}

BOOST_FIXTURE_TEST_CASE(in_batches_events_of_consecutive_lines_share_messages_and_all_others_are_alone, replay_fixture)
{
    folder.write("events", events(1, 250) + "\"123:7\"\n" + events(251, 253) + "{\"id\":\"e\"}\n" + events(254, 254) +
                               "\"123:7\"\n");
    const auto outcome = replay({"--batch", "100"});
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(outcome.counts.acknowledged == 257);
    BOOST_TEST(outcome.counts.rejected == 1);
    BOOST_TEST(views() == 256);
    BOOST_TEST(client.stored() == 3U + 1 + 1 + 1 + 1 + 1);
    const auto again = replay({"--batch", "100", "--restart"});
    BOOST_TEST(again.counts.duplicate == 254); // in the same messages
    const auto otherwise = replay({"--batch", "99", "--restart"});
    BOOST_TEST(otherwise.counts.duplicate == 4); // but reporting knows their ids:
    BOOST_TEST(views() == 256 + 2 * 2);
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_larger_than_the_broker_takes_is_sent_event_by_event)
{
    replay_fixture on("max_payload: 1024");
    const auto too_long = R"({"id":"long","asset":"123","user":"1","time":"2026-01-31T09:30:00Z","more":")" +
                          std::string(1024, 'x') + "\"}\n";
    on.folder.write("events", events(1, 500) + too_long + events(501, 600));
    const auto outcome = on.replay({"--batch", "256"});
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(has(outcome, "line 501: the message is larger than the broker takes"));
    BOOST_TEST(outcome.counts.acknowledged == 500);
    BOOST_TEST(on.client.stored() == 500U); // none of those after it
    const auto without = on.replay({"--batch", "256", "--skip-bad", on.folder.path() / "bad"});
    BOOST_TEST(without.code == 0);
    BOOST_TEST(has(without, ", skipped 1"));
    BOOST_TEST(on.views() == 600);
}

BOOST_AUTO_TEST_CASE(what_follows_a_refused_batch_is_sent_after_its_events)
{
    replay_fixture on("max_payload: 1024");
    on.folder.write("events", events(1, 100) + "\"123:7\"\n");
    BOOST_TEST(on.replay({"--batch", "256"}).code == 0);
    BOOST_TEST(on.views() == 101);
    BOOST_TEST(on.client.has_headers(1)); // the id of an event; the text has none
    BOOST_TEST(on.client.has_headers(100));
    BOOST_TEST(!on.client.has_headers(101));
}

BOOST_FIXTURE_TEST_CASE(events_as_large_as_the_broker_takes_do_not_fill_the_buffer, replay_fixture)
{
    std::string all;
    for (int i = 1; i <= 20; ++i)
        all += R"({"id":"e)" + std::to_string(i) +
               R"(","asset":"123","user":"1","time":"2026-01-31T09:30:00Z","more":")" + std::string(1'000'000, 'x') +
               "\"}\n";
    folder.write("events", all);
    const auto outcome = replay();
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(!has(outcome, "sending again"));
    BOOST_TEST(views() == 20);
}

BOOST_FIXTURE_TEST_CASE(each_round_of_a_loop_counts_and_a_run_without_loop_ends_the_round, replay_fixture)
{
    const std::string longest =
        R"({"id":")" + std::string(64, 'x') + R"(","asset":"123","user":"1","time":"2026-01-31T09:30:00Z"})";
    folder.write("events", events(1, 50) + longest + "\n\"123:1\"\n\"{\"\n");
    replay_run looping(system.broker().url(), folder.path() / "events", {"--loop"});
    looping.wait_until([](const replay::replay_progress& state) { return state.round >= 3; });
    looping.program().signal(SIGTERM);
    const auto stopped = looping.wait();
    BOOST_TEST(stopped.code == 0);
    BOOST_TEST(has(stopped, "stopped in round "));
    const auto last = replay();
    BOOST_TEST(last.code == 0);
    BOOST_TEST(last.counts.acknowledged % 53 == 0);
    BOOST_TEST(last.counts.acknowledged >= 3 * 53);
    BOOST_TEST(last.counts.duplicate == 0);
    BOOST_TEST(client.stored() == last.counts.acknowledged);
    BOOST_TEST(views() == last.counts.acknowledged / 53 * 52);
    BOOST_TEST(client.statistics().duplicates == 0);
}

BOOST_FIXTURE_TEST_CASE(a_loop_over_nothing_ends, replay_fixture)
{
    folder.write("events", "\n\n");
    const auto outcome = replay({"--loop"});
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(has(outcome, "holds no event"));
    BOOST_TEST(replay().code == 0);
}

BOOST_FIXTURE_TEST_CASE(progress_is_printed, replay_fixture)
{
    folder.write("events", events(1, 1000));
    replay_run slowly(system.broker().url(), folder.path() / "events", {"--rate", "100", "--progress", "0.05"});
    const auto line = slowly.program().wait_for_line(" s left");
    BOOST_REQUIRE(line);
    BOOST_TEST(line->find(" events (") != std::string::npos);
    slowly.program().signal(SIGINT);
    BOOST_TEST(slowly.wait().code == 0);
}

BOOST_FIXTURE_TEST_CASE(a_stop_with_events_in_flight_sends_none_without_an_id_twice, replay_fixture)
{
    std::string all;
    for (int i = 0; i < 20'000; ++i)
        all += "\"123:1\"\n";
    folder.write("events", all);
    for (int times = 0; times < 5; ++times)
    {
        replay_run running(system.broker().url(), folder.path() / "events");
        BOOST_TEST(running.program().wait_for_line("replaying").has_value());
        running.program().signal(SIGTERM);
        const auto stopped = running.wait();
        BOOST_TEST(stopped.code == 0);
        BOOST_TEST(stopped.counts.acknowledged == client.stored());
    }
    BOOST_TEST(replay().counts.acknowledged == 20'000);
    BOOST_TEST(client.stored() == 20'000);
    BOOST_TEST(views() == 20'000);
}

BOOST_FIXTURE_TEST_CASE(a_broker_that_dies_and_comes_back_loses_and_doubles_nothing, replay_fixture)
{
    folder.write("events", events(1, 20'000));
    replay_run slowly(system.broker().url(), folder.path() / "events", {"--rate", "500"});
    std::uint64_t before = 0;
    for (int times = 0; times < 2; ++times)
    {
        before = slowly.wait_until_beyond(before).at.line;
        system.broker().kill();
        system.broker().restart();
    }
    slowly.wait_until_beyond(before);
    slowly.program().signal(SIGTERM);
    BOOST_TEST(slowly.wait().code == 0);

    replay_run with_a_full_window(system.broker().url(), folder.path() / "events");
    BOOST_TEST(with_a_full_window.program().wait_for_line("replaying").has_value());
    system.broker().kill();
    system.broker().restart();
    const auto outcome = with_a_full_window.wait();
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(outcome.counts.acknowledged == 20'000);
    BOOST_TEST(views() == 20'000);
}

BOOST_FIXTURE_TEST_CASE(a_broker_that_stays_away_ends_it_in_time_and_the_next_run_goes_on, replay_fixture)
{
    folder.write("events", events(1, 3000));
    replay_run running(system.broker().url(), folder.path() / "events", {"--rate", "100", "--timeout", "0.5"});
    running.wait_until_beyond(0);
    system.broker().kill();
    const auto outcome = running.wait();
    BOOST_TEST(outcome.code == 1);
    BOOST_TEST(has(outcome, "the next run goes on there"));
    BOOST_TEST(outcome.counts.acknowledged > 0);
    system.broker().restart();
    const auto rest = replay();
    BOOST_TEST(rest.code == 0);
    BOOST_TEST(rest.counts.acknowledged == 3000);
    BOOST_TEST(views() == 3000);
}

BOOST_FIXTURE_TEST_CASE(a_stop_while_the_broker_is_away_ends_at_once, replay_fixture)
{
    folder.write("events", events(1, 3000));
    replay_run running(system.broker().url(), folder.path() / "events", {"--rate", "100", "--timeout", "600"});
    running.wait_until_beyond(0);
    system.broker().kill();
    BOOST_TEST(running.program().wait_for_line("sending again").has_value());
    running.program().signal(SIGTERM);
    BOOST_TEST(running.wait().code == 0);
    system.broker().restart();
    BOOST_TEST(replay().counts.acknowledged == 3000);
    BOOST_TEST(views() == 3000);
}

BOOST_AUTO_TEST_CASE(what_jetstream_refuses_is_tried_again_until_it_is_taken)
{
    replay_fixture on("", {"--max-bytes", "64K"});
    on.folder.write("events", events(1, 2000));
    const auto full = on.replay({"--timeout", "0.5"});
    BOOST_TEST(full.code == 1);
    BOOST_TEST(full.counts.refused > 0);
    BOOST_TEST(has(full, "maximum bytes exceeded"));
    BOOST_TEST(full.counts.acknowledged == on.views());
    BOOST_TEST(full.counts.acknowledged < 2000);

    replay_run waiting(on.system.broker().url(), on.folder.path() / "events");
    BOOST_TEST(waiting.program().wait_for_line("sending again").has_value());
    on.client.limit_stream(-1);
    const auto outcome = waiting.wait();
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(outcome.counts.acknowledged == 2000);
    BOOST_TEST(on.views() == 2000);
}

BOOST_AUTO_TEST_SUITE_END()
