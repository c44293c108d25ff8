// replay: a stream of events read by an ordered consumer alone, and counted by reporting as after the loss of its database.
#include "tests/bench/bench_system.hpp"
#include "tests/bench/catalogue.hpp"
#include "tests/bench/nats_client.hpp"

#include "broker/jetstream.hpp"
#include "schemas/event.hpp"

#include <stdexcept>

namespace marquee::bench
{

namespace
{

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto patience = 300s;

/// A system whose stream EVENTS holds `count` events.
struct recorded
{
    bench_system system{{}, {{"reporting", {"--rebuild"}}}};
    std::size_t count;

    recorded(std::size_t events, const std::function<std::string(std::size_t)>& event) : count(events)
    {
        system.programs().start("reporting"); // it makes the stream
        system.programs().stop("reporting");
        nats_client client(system.broker_url());
        client.fill(events, [&](std::size_t i) { return question{subjects::events(), event(i)}; });
    }
};

/// Users and assets come again, as they do.
std::size_t user_of(std::size_t i) { return i * 7919 % 10'000; }

std::string event_with_id(std::size_t i)
{
    static zipf draw(10'000);
    static std::mt19937_64 random(7);
    const auto now = std::chrono::system_clock::now();
    return encode_event(make_ulid(now), asset(draw(random)), user(user_of(i)), now);
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
        [&](const std::vector<stored_message>& batch)
        {
            seen += batch.size();
            done = seen >= from.count;
        },
        [](bool, const stream_state&) {}, [](lost_place) {});
    client.run_until(done, patience);
    figures f{{"rate", static_cast<double>(seen) / std::chrono::duration<double>(clock::now() - began).count()}};
    costs.add_to(f, static_cast<double>(seen));
    f["cpu reader"] = f["cpu client"];
    return f;
}

/// From the start of counting until everything is counted, by reporting's own clock.
figures count_all(recorded& from)
{
    auto& programs = from.system.programs();
    programs.launch("reporting");
    const cost_watch costs(from.system.with_broker("reporting"));
    const auto line = programs.at("reporting").wait_for_line("caught up", patience);
    if (!line)
        throw std::runtime_error("reporting has not caught up:\n" + programs.at("reporting").output());
    const auto ms = std::stod(line->substr(line->find(" ms=") + 4));
    if (line->find("applied=" + std::to_string(from.count) + ' ') == std::string::npos)
        throw std::runtime_error("reporting has not counted every event: " + *line);
    figures f{{"rate", static_cast<double>(from.count) * 1000 / ms}};
    costs.add_to(f, static_cast<double>(from.count));
    f["cpu reader"] = f["cpu reporting"];
    programs.stop("reporting");
    return f;
}

} // namespace

void replay(const settings& with)
{
    recorded with_ids(with.size, event_with_id);
    recorded as_text(with.size, event_as_text);
    const std::vector<load> loads{{"consumer alone", [&] { return consume(with_ids); }},
                                  {"counted by reporting", [&] { return count_all(with_ids); }},
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
