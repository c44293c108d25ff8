// replay: a stream of events read by an ordered consumer alone, and counted by reporting as after
// the loss of its database.
#include "tests/bench/bench_system.hpp"
#include "tests/bench/catalogue.hpp"
#include "tests/bench/nats_client.hpp"

#include "broker/jetstream/ordered_consumer.hpp"
#include "schemas/event.hpp"
#include "schemas/ulid.hpp"

#include <filesystem>
#include <stdexcept>

namespace marquee::bench
{

namespace
{

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto patience = 300s;

/// A system whose stream EVENTS holds so many messages of so many events each.
struct recorded
{
    bench_system system{{}};
    std::size_t messages;
    std::size_t events;

    recorded(std::size_t number, std::size_t events_each, const std::function<std::string(std::size_t)>& payload)
        : messages(number), events(number * events_each)
    {
        system.programs().start("reporting"); // it makes the stream
        system.programs().stop("reporting");
        nats_client client(system.broker_url());
        client.fill(messages, [&](std::size_t i) { return nats_request{subjects::events(), payload(i)}; });
    }

    /// The next reporting counts all from the start.
    void lose_database()
    {
        for (const auto* end : {"", "-wal", "-shm"})
            std::filesystem::remove(system.programs().database().string() + end);
    }
};

/// Users and assets repeat, as in real traffic.
std::size_t user_of(std::size_t i) { return i * 7919 % 10'000; }

std::string event_of(std::size_t i, const std::string& id)
{
    static zipf draw(10'000);
    static std::mt19937_64 random(7);
    return encode_event(id, asset(draw(random)), user(user_of(i)), std::chrono::system_clock::now());
}

std::string event_with_id(std::size_t i) { return event_of(i, make_ulid(std::chrono::system_clock::now())); }

constexpr std::size_t batch = 50; ///< events of a message of an edge with some load

std::string events_of_an_edge(std::size_t i)
{
    const auto id = make_ulid(std::chrono::system_clock::now());
    std::string lines;
    for (std::size_t line = 0; line < batch; ++line)
        lines += (line > 0 ? "\n" : "") + event_of(i * batch + line, id + '.' + std::to_string(line));
    return lines;
}

std::string event_as_text(std::size_t i)
{
    static zipf draw(10'000);
    static std::mt19937_64 random(7);
    return asset(draw(random)).text() + ':' + user(user_of(i)).text();
}

figures consume(recorded& from)
{
    nats_client client(from.system.broker_url());
    std::size_t seen = 0;
    bool done = false;
    ordered_consumer::settings what;
    what.stream = std::string(names::stream_events);
    auto watched = from.system.all();
    const cost_watch costs(watched);
    const auto began = clock::now();
    const auto consumer = ordered_consumer::start(
        client.nats(), what,
        [&](const std::vector<stored_message>& some)
        {
            seen += some.size();
            done = seen >= from.messages;
        },
        [](bool, const stream_state&) {}, [](resume_failure) {});
    client.run_until(done, patience);
    const auto events = static_cast<double>(from.events);
    figures f{{"rate", events / std::chrono::duration<double>(clock::now() - began).count()}};
    costs.add_to(f, events);
    f["cpu reader"] = f["cpu client"];
    return f;
}

/// From the start of counting until everything is counted, by reporting's own clock.
figures count_all(recorded& from)
{
    auto& programs = from.system.programs();
    from.lose_database();
    programs.launch("reporting");
    const cost_watch costs(from.system.with_broker("reporting"));
    const auto line = programs.at("reporting").wait_for_line("caught up", patience);
    if (!line)
        throw std::runtime_error("reporting has not caught up:\n" + programs.at("reporting").output());
    const auto ms = std::stod(line->substr(line->find(" ms=") + 4));
    if (line->find("applied=" + std::to_string(from.events) + ' ') == std::string::npos)
        throw std::runtime_error("reporting has not counted every event: " + *line);
    figures f{{"rate", static_cast<double>(from.events) * 1000 / ms}};
    costs.add_to(f, static_cast<double>(from.events));
    f["cpu reader"] = f["cpu reporting"];
    programs.stop("reporting");
    return f;
}

} // namespace

void replay(const settings& with)
{
    recorded with_ids(with.size, 1, event_with_id);
    recorded together(with.size / batch, batch, events_of_an_edge);
    recorded as_text(with.size, 1, event_as_text);
    const std::vector<load> loads{{"consumer alone", [&] { return consume(with_ids); }},
                                  {"counted by reporting", [&] { return count_all(with_ids); }},
                                  {"consumer alone, 50 events a message", [&] { return consume(together); }},
                                  {"counted by reporting, 50 events a message", [&] { return count_all(together); }},
                                  {"consumer alone, events without ids", [&] { return consume(as_text); }},
                                  {"counted by reporting, events without ids", [&] { return count_all(as_text); }}};
    const auto medians = alternate(with, loads);
    note("## replay");
    table t("Replay of " + std::to_string(with.size) + " events; CPU time of an event in µs.",
            {"read by", "events/s", "of the consumer", "CPU reader", "CPU broker"});
    for (std::size_t i = 0; i < loads.size(); ++i)
    {
        const auto& f = medians[i];
        t.row({loads[i].name, number(f.at("rate")), number(f.at("rate") / medians[i / 2 * 2].at("rate"), 2),
               number(f.at("cpu reader"), 2), number(f.at("cpu broker"), 2)});
    }
}

} // namespace marquee::bench
