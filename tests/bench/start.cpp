// start: what many records cost a service: time until it is ready, memory, and answers afterwards.
#include "tests/bench/bench_system.hpp"
#include "tests/bench/catalogue.hpp"
#include "tests/bench/nats_client.hpp"

#include "schemas/event.hpp"
#include "schemas/ulid.hpp"
#include "services/catalogue/catalogue_endpoints.hpp"
#include "services/cdnurl/cdnurl.hpp"
#include "services/metadata/metadata.hpp"

#include <algorithm>
#include <stdexcept>

namespace marquee::bench
{

namespace
{

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto patience = 300s;

/// A service, its records, and a request for one.
struct kind
{
    std::string service;
    std::function<nats_request(std::size_t)> stored;  ///< in its bucket or stream
    std::function<std::size_t(std::size_t)> own_text; ///< bytes of a record's own text
    std::function<subject(std::size_t)> get;
};

template <class Catalogue, class Record>
kind catalogue_kind(Record record_of, subject (*get)(const asset_id&))
{
    const auto value = [record_of](std::size_t i) { return catalogue_value<Catalogue>(asset(i), record_of(i)); };
    const auto name = std::string(Catalogue::service);
    return {name,
            [=](std::size_t i) {
                return nats_request{subjects::kv_entry(name, asset(i)), value(i)};
            },
            [=](std::size_t i) { return value(i).size(); }, [=](std::size_t i) { return get(asset(i)); }};
}

kind reporting_kind()
{
    const auto event = [](std::size_t i)
    {
        const auto now = std::chrono::system_clock::now();
        return nats_request{subjects::events(), encode_event(make_ulid(now), asset(i % 10'000), user(i), now)};
    };
    return {"reporting", event, [](std::size_t i) { return user(i).text().size(); },
            [](std::size_t i) { return subjects::reporting_user(user(i)); }};
}

/// Seconds until it says that it is ready.
double start_and_wait(bench_system& system, const std::string& service)
{
    auto& programs = system.programs();
    const auto began = clock::now();
    programs.launch(service);
    if (!programs.at(service).wait_for_line(service == "reporting" ? "caught up" : " ready", patience))
        throw std::runtime_error(service + " does not get ready:\n" + programs.at(service).output());
    return std::chrono::duration<double>(clock::now() - began).count();
}

figures start_once(bench_system& system, const kind& what, std::size_t records)
{
    figures f{{"ready", start_and_wait(system, what.service)}};
    const auto pid = system.programs().at(what.service).pid();
    f["resident"] = static_cast<double>(resident_bytes(pid));
    f["peak"] = static_cast<double>(peak_bytes(pid));
    if (records > 0)
    {
        nats_client client(system.broker_url());
        (void)client.request_once(what.get(0)); // the broker knows its subscriptions a moment after it is ready
        std::vector<nats_request> requests;
        for (std::size_t i = 0; i < 2000; ++i)
            requests.push_back({what.get(i * 7919 % records), {}});
        std::size_t next = 0;
        auto outcome = client.request_all(1, [&] { return next < requests.size() ? &requests[next++] : nullptr; });
        if (outcome.wrong > 0)
            throw std::runtime_error(what.service + " does not know its records");
        add_latencies(f, outcome.microseconds);
    }
    system.programs().stop(what.service);
    return f;
}

void measure(bench_system& system, const settings& with, const kind& what, table& t)
{
    constexpr double mib = 1024 * 1024;
    double resident_empty = 0;
    std::size_t stored = 0;
    for (const auto records : {std::size_t{0}, with.size / 10, with.size})
    {
        if (records > stored)
        {
            nats_client client(system.broker_url());
            client.fill(records - stored, [&](std::size_t i) { return what.stored(stored + i); });
            stored = records;
        }
        start_and_wait(system, what.service); // makes its bucket or stream, counts its events, warms the disk's cache
        system.programs().stop(what.service);
        const auto f = alternate(with, {{what.service + ", " + std::to_string(records) + " records",
                                         [&] { return start_once(system, what, records); }}})
                           .front();
        const auto resident = f.at("resident");
        if (records == 0)
        {
            resident_empty = resident;
            t.row({what.service, "0", number(f.at("ready"), 2), number(resident / mib, 1),
                   number(f.at("peak") / mib, 1), "", "", ""});
            continue;
        }
        const auto text = static_cast<double>(what.own_text(records / 2));
        const auto beyond = (resident - resident_empty) / static_cast<double>(records) - text;
        t.row({what.service, std::to_string(records), number(f.at("ready"), 2), number(resident / mib, 1),
               number(f.at("peak") / mib, 1), number(beyond), number(f.at("p50")), number(f.at("p99"))});
    }
}

} // namespace

void start(const settings& with)
{
    bench_system system({});
    note("## start");
    table t("One service at a time; records are assets, of reporting users. Memory in MiB, beyond a record's own text "
            "in bytes; "
            "latency of `get` in µs.",
            {"service", "records", "ready after s", "resident", "peak", "bytes a record", "p50", "p99"});
    measure(system, with, catalogue_kind<metadata_catalogue>(metadata_of, subjects::metadata_get), t);
    measure(system, with, catalogue_kind<cdnurl_catalogue>(url_of, subjects::cdnurl_get), t);
    measure(system, with, reporting_kind(), t);
}

} // namespace marquee::bench
