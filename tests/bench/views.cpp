// views: what reporting's answers by time cost, over a year of views, and its file and memory.
#include "tests/bench/bench.hpp"
#include "tests/bench/catalogue.hpp"

#include "schemas/event.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/subjects.hpp"
#include "services/reporting/reporting_endpoints.hpp"

#include <boost/asio/co_spawn.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace marquee::bench
{

namespace
{

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t assets = 10'000;
constexpr std::size_t users = 100'000;
constexpr int asked = 200;
constexpr std::size_t at_once = 10'000; ///< events a transaction

std::size_t resident_bytes()
{
    std::ifstream in("/proc/self/statm");
    std::size_t pages = 0;
    in >> pages >> pages;
    return pages * 4096;
}

/// A file of its own, with all events counted.
struct counted_year
{
    std::filesystem::path folder;
    std::shared_ptr<reporting_views> views;
    asio::io_context io;
    double microseconds_an_event = 0;
    std::string last_hour; ///< a time in the last hour with views
    std::string some_user; ///< the token of one with views

    explicit counted_year(std::size_t events)
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "marquee-bench-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("no temporary folder");
        folder = pattern;
        projection_settings settings;
        settings.path = (folder / "counts.db").string();
        auto opened = projection::open(settings);
        if (opened.has_error())
            throw std::runtime_error(opened.error().detail);
        count(*opened, events);
        views = std::make_shared<reporting_views>(std::move(*opened), io.get_executor(), [](const std::string&) {});
    }
    ~counted_year()
    {
        views.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    counted_year(const counted_year&) = delete;
    counted_year& operator=(const counted_year&) = delete;

    /// Text events, so that no row of an id is counted in. Half are of the last 31 days.
    void count(projection& into, std::size_t events)
    {
        zipf draw_asset(assets);
        std::mt19937_64 random(7);
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        std::chrono::nanoseconds spent{0};
        std::vector<stored_message> some;
        for (std::size_t i = 0; i < events; ++i)
        {
            const auto part = static_cast<double>(i) / static_cast<double>(events);
            const auto days = part < 0.5 ? 365 - part * 2 * 334 : (1 - part) * 2 * 31;
            stored_message m;
            m.subject = "events";
            m.sequence = i + 1;
            m.timestamp = now - std::chrono::duration_cast<std::chrono::nanoseconds>(
                                    std::chrono::duration<double, std::ratio<86400>>(days));
            const auto viewer = user(random() % users);
            m.data = asset(draw_asset(random)).text() + ':' + viewer.text();
            some_user = viewer.token();
            some.push_back(std::move(m));
            if (some.size() < at_once && i + 1 < events)
                continue;
            const auto began = clock::now();
            if (const auto applied = into.apply(some); applied.has_error())
                throw std::runtime_error(applied.error().detail);
            spent += clock::now() - began;
            some.clear();
        }
        microseconds_an_event = std::chrono::duration<double, std::micro>(spent).count() / static_cast<double>(events);
        last_hour = rfc3339(std::chrono::system_clock::time_point(now));
    }
};

struct question
{
    std::string name;
    std::string endpoint;
    std::string subject;
    std::vector<std::string> bodies; ///< in turns
};

service_result answer(const endpoint_config& endpoint, const service_request& request, asio::io_context& io)
{
    if (auto known = endpoint.at_once(request))
        return std::move(*known);
    service_result answer = service_error(fail(errc::timeout));
    asio::co_spawn(io, endpoint.handler(request),
                   [&answer](const std::exception_ptr&, service_result r) { answer = std::move(r); });
    io.restart();
    io.run();
    return answer;
}

/// Latencies of an endpoint's own work: lookup and the reply's text.
void measure(table& to, const std::vector<endpoint_config>& endpoints, const question& what, asio::io_context& io)
{
    std::vector<float> microseconds;
    std::size_t bytes = 0;
    for (const auto& endpoint : endpoints)
        for (int i = 0; endpoint.name == what.endpoint && i < asked; ++i)
        {
            const service_request request{
                message{what.subject, "", what.bodies[static_cast<std::size_t>(i) % what.bodies.size()], {}},
                deadline::in(5s)};
            const auto began = clock::now();
            const auto got = answer(endpoint, request, io);
            microseconds.push_back(std::chrono::duration<float, std::micro>(clock::now() - began).count());
            if (got.has_error())
                throw std::runtime_error(what.name + ": no answer");
            bytes = got->data.size();
        }
    figures f;
    add_latencies(f, microseconds);
    to.row(
        {what.name, number(f.at("p50") / 1000, 2), number(f.at("p99") / 1000, 2), number(static_cast<double>(bytes))});
}

} // namespace

void views(const settings& with)
{
    const auto before = resident_bytes();
    counted_year year(with.size);
    const auto endpoints = reporting_endpoints(year.views, [] { return boost::json::value(); });
    const auto heavy = year.views->counts.top(1).value().at(0).id;
    note("## views");
    {
        table t("Answers over " + std::to_string(with.size) +
                    " views of a year, half of them of its last 31 days, by " + std::to_string(users) + " users of " +
                    std::to_string(assets) + " assets; milliseconds of reporting.",
                {"request", "p50", "p99", "bytes"});
        const auto at = R"("at":")" + year.last_hour + '"';
        const auto of_heavy = asset_id::parse(heavy)->token();
        const auto hours_ago = [](int hours)
        { return rfc3339(std::chrono::system_clock::now() - std::chrono::hours(hours)); };
        const auto ask = [&](const question& what) { measure(t, endpoints, what, year.io); };
        const auto top_of = [](const std::string& window, const std::string& at)
        { return R"({"window":")" + window + "\"," + at + '}'; };
        for (const std::string window : {"1h", "24h", "7d", "30d"})
            ask({"top, " + window + ", again", "top", "reporting.top", {top_of(window, at)}});
        for (const std::string window : {"24h", "30d"})
        {
            question other{"top, " + window + ", each time another", "top", "reporting.top", {}};
            for (int i = 0; i < 5; ++i) // more than are kept
                other.bodies.push_back(top_of(window, R"("at":")" + hours_ago(24 * i) + '"'));
            ask(other);
        }
        ask({"top, 30d, 1,000 assets", "top", "reporting.top", {R"({"limit":1000,"window":"30d",)" + at + '}'}});
        ask({"series of all, 168 hours", "series", "reporting.series", {R"({"from":")" + hours_ago(167) + "\"}"}});
        ask({"series of an asset, 168 hours",
             "asset_series",
             "reporting.series." + of_heavy,
             {R"({"from":")" + hours_ago(167) + "\"}"}});
        ask({"series of an asset, 1,000 hours",
             "asset_series",
             "reporting.series." + of_heavy,
             {R"({"from":")" + hours_ago(999) + "\"}"}});
        ask({"history, 100 assets", "history", "reporting.history." + year.some_user, {""}});
        ask({"all counts, a page of 1,000", "assets", "reporting.assets", {R"({"limit":1000})"}});
    }
    const auto file = std::filesystem::file_size(year.folder / "counts.db") +
                      std::filesystem::file_size(year.folder / "counts.db-wal");
    table t("What it costs.", {"µs an event", "MB of file", "MB of memory"});
    t.row({number(year.microseconds_an_event, 2), number(static_cast<double>(file) / 1e6, 1),
           number(static_cast<double>(resident_bytes() - before) / 1e6, 1)});
}

} // namespace marquee::bench
