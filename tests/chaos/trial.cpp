#include "tests/chaos/trial.hpp"

#include "services/reporting/projection/projection.hpp"
#include "tests/support/urls.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace marquee::chaos
{

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace
{

constexpr auto recount_limit = 20min;
constexpr auto longest_moment = 20'000us;
constexpr std::uint64_t plays_at_the_end = 200;

/// Ids as real sites have them: percent-encoded in HTTP, and encoded again in subjects.
const std::vector<std::string> more_ids = {"10.5240/7791-8534-2C23-9030-8610-5",
                                           "Le fabuleux destin d'Amélie Poulain",
                                           "=41",
                                           "a.b*c>d",
                                           "long-tail-1",
                                           "long-tail-2"};

std::string last_lines(const std::string& text, std::size_t count)
{
    auto from = text.size();
    for (std::size_t line = 0; line <= count && from != std::string::npos && from > 0; ++line)
        from = text.rfind('\n', from - 1);
    return from == std::string::npos ? text : text.substr(from);
}

/// Everything a rebuild must reproduce, from a file that no process uses.
std::string dump_of(const std::filesystem::path& file)
{
    projection_settings settings;
    settings.path = file;
    auto counts = projection::open(settings);
    if (counts.has_error())
        throw std::runtime_error(file.string() + ": " + counts.error().detail);
    std::ostringstream text;
    if (const auto done = counts->dump(text); done.has_error())
        throw std::runtime_error(file.string() + ": " + done.error().detail);
    return text.str();
}

} // namespace

trial::trial(const options& run, report& into, test::marquee_system::settings with)
    : result(into), run_(run), rng_(run.seed), system_(with)
{
    for (const auto& name : with.start)
    {
        (name.starts_with("edge") ? edges_ : others_).push_back(name);
        if (name.starts_with("reporting"))
            reportings_.push_back(name);
    }
    add_assets();
}

trial::~trial()
{
    if (load_)
        result.load.add(load_->so_far());
}

void trial::add_assets()
{
    for (const auto& id : more_ids)
    {
        const auto& asset = assets_.emplace_back(test::known_asset{
            id, "Title of " + id, "genre", "Summary \"of\" " + id, "path/to/" + test::percent_encoded(id)});
        test::http_call about{"POST", "/content/asset/" + test::percent_encoded(id)};
        about.body = boost::json::serialize(
            boost::json::object{{"title", asset.title}, {"genre", asset.genre}, {"summary", asset.summary}});
        test::http_call where{"POST", "/url/asset/" + test::percent_encoded(id)};
        where.body = boost::json::serialize(boost::json::object{{"url", asset.url}});
        for (const auto& call : {about, where})
            if (const auto answer = system_.call_as_admin(call, edges_.front()); answer.status != 200)
                throw std::runtime_error(call.target + " answers " + std::to_string(answer.status) + " " + answer.body);
    }
    // Every instance serves them, not only the one that took them.
    for (const auto& edge : edges_)
        for (const auto& name : others_)
            for (const auto& id : more_ids)
                if (name.starts_with("metadata") || name.starts_with("cdnurl"))
                {
                    test::http_call call{"GET", (name.starts_with("metadata") ? "/content/asset/" : "/url/asset/") +
                                                    test::percent_encoded(id)};
                    call.headers.push_back(system_.authorization());
                    (void)system_.call_until(200, call, 20s, edge);
                }
}

std::uint64_t trial::random(std::uint64_t below)
{
    return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(rng_);
}

void trial::begin_load(test::retrying retry, const std::function<void(test::load_settings&)>& change)
{
    test::load_settings with;
    for (const auto& name : edges_)
        with.ports.push_back(system_.port(name));
    with.ledger = ledger();
    with.assets = assets_;
    with.seed = run_.seed;
    with.retry = retry;
    if (change)
        change(with);
    load_ = std::make_unique<test::load>(with, expected_);
}

void trial::wait_for_plays(std::uint64_t count)
{
    if (!load_->wait_for_acknowledged(count))
        throw std::runtime_error("no play was acknowledged for a minute, after " + std::to_string(acknowledged()));
}

std::uint64_t trial::acknowledged() const { return load_->so_far().acknowledged; }

void trial::end_load()
{
    load_->stop();
    result.load.add(load_->finish());
    load_.reset();
}

/// An acknowledgement wakes this thread at a certain point of the other clients' plays; faults
/// should come at any.
void trial::wait_a_moment() { std::this_thread::sleep_for(std::chrono::microseconds(random(longest_moment.count()))); }

void trial::strike(const std::function<void(unsigned)>& fault)
{
    const auto slot = std::max<std::uint64_t>(1, run_.size.plays / std::max(1U, run_.size.kills));
    for (unsigned i = 0; i < run_.size.kills; ++i)
    {
        wait_for_plays(i * slot + random(slot) + 1);
        wait_a_moment();
        fault(i);
    }
    wait_for_plays(run_.size.plays);
}

void trial::kill_and_start(const std::string& name)
{
    system_.kill(name);
    ++result.kills;
    const auto from = clock::now();
    system_.start(name);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - from);
    result.slowest_start = std::max(result.slowest_start, took);
}

void trial::kill_broker()
{
    system_.broker().kill();
    ++result.kills;
    system_.broker().restart();
}

void trial::check()
{
    check_alive();
    check_a_play();
    const std::string rebuilt = "reporting-rebuilt";
    system_.start(rebuilt);
    reportings_.push_back(rebuilt);
    others_.push_back(rebuilt);
    check_recount(reportings_.size());
    for (auto& wrong : test::wrong_counts(expected_, system_.port(edges_.front()), false))
        result.failures.push_back("over HTTP: " + std::move(wrong));
    check_alive();
    check_dumps();
    for (const auto& wrong : result.load.wrong_examples)
        result.failures.push_back("a wrong answer: " + wrong);
    if (result.load.wrong > result.load.wrong_examples.size())
        result.failures.push_back(std::to_string(result.load.wrong) + " wrong answers in all");
}

void trial::check_alive()
{
    auto all = edges_;
    all.insert(all.end(), others_.begin(), others_.end());
    for (const auto& name : all)
        if (!system_.at(name).running())
            result.failures.push_back(name + " ended by itself: " + last_lines(system_.at(name).output(), 5));
}

/// A play through each edge is answered with counts.
void trial::check_a_play()
{
    for (const auto& edge : edges_)
    {
        (void)system_.call_until(200, {"GET", "/events/top"}, 60s, edge);
        begin_load(test::retrying::always,
                   [&](test::load_settings& with)
                   {
                       with.ports = {system_.port(edge)};
                       with.seed = run_.seed + 1'000'000 + expected_.attempted();
                       with.plays = plays_at_the_end;
                   });
        const auto last = load_->finish();
        load_.reset();
        if (last.acknowledged != plays_at_the_end || last.uncounted == plays_at_the_end)
            result.failures.push_back("at the end " + edge + " answers no play in full");
        result.load.wrong += last.wrong;
        result.load.wrong_examples.insert(result.load.wrong_examples.end(), last.wrong_examples.begin(),
                                          last.wrong_examples.end());
    }
}

void trial::check_recount(std::size_t instances)
{
    if (!std::filesystem::exists(run_.recount))
    {
        result.failures.push_back("the recount is missing: " + run_.recount);
        return;
    }
    const std::string details =
        run_.report.empty() ? (system_.folder() / "recount.json").string() : run_.report + ".recount";
    test::process recount("/usr/bin/env",
                          {"node", run_.recount, "--server", system_.server(), "--ledger", ledger(), "--reporting",
                           "--instances", std::to_string(instances), "--report", details});
    const auto code = recount.wait(recount_limit);
    if (const auto line = recount.wait_for_line("recount: ", 20s))
        result.recount = line->substr(9);
    if (code != 0)
        result.failures.push_back("the recount does not agree: " + last_lines(recount.output(), 20));
}

/// All instances, the rebuilt one too, hold the same counts.
void trial::check_dumps()
{
    std::string first;
    for (const auto& name : reportings_)
    {
        if (const int code = system_.stop(name); code != 0)
            result.failures.push_back(name + " ends with " + std::to_string(code));
        const auto dump = dump_of(system_.database(name));
        if (first.empty())
            first = dump;
        else if (dump != first)
            result.failures.push_back(name + "'s counts are not those of " + reportings_.front());
    }
}

} // namespace marquee::chaos
