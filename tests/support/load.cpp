#include "tests/support/load.hpp"

#include "schemas/event.hpp"
#include "tests/support/lean_http.hpp"
#include "tests/support/urls.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

namespace marquee::test
{

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace
{

constexpr auto pause_after_failure = 50ms; ///< so that an outage does not use up all plays
constexpr auto timeout_check = 100ms;
constexpr std::size_t most_examples = 10;

/// SplitMix64: the nth number of a seed.
std::uint64_t mixed(std::uint64_t seed, std::uint64_t n)
{
    std::uint64_t z = seed * 0xD1B54A32D192ED03U + (n + 1) * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
}

enum class outcome
{
    acknowledged,
    refused,
    unknown,
};

const char* name_of(outcome what)
{
    switch (what)
    {
    case outcome::acknowledged:
        return "acknowledged";
    case outcome::refused:
        return "refused";
    case outcome::unknown:
        return "unknown";
    }
    return "";
}

/// The outcome of one attempt.
struct attempt_result
{
    outcome what = outcome::unknown;
    bool counted = false;   ///< the answer held counts
    std::string wrong = {}; ///< why the answer cannot be right
};

std::string text_of(const json::object& in, std::string_view member)
{
    const auto* value = in.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::uint64_t> count_in(const json::object& in, std::string_view member)
{
    const auto* value = in.if_contains(member);
    if (value == nullptr || !value->is_int64() || value->as_int64() < 0)
        return std::nullopt;
    return static_cast<std::uint64_t>(value->as_int64());
}

bool is_null(const json::object& in, std::string_view member)
{
    const auto* value = in.if_contains(member);
    return value != nullptr && value->is_null();
}

attempt_result judge_play(const json::object& body, const known_asset& asset, const play& what,
                          const expected_views::floor& from, expected_views& expected)
{
    if (text_of(body, "id") != asset.id || text_of(body, "title") != asset.title ||
        text_of(body, "genre") != asset.genre || text_of(body, "summary") != asset.summary ||
        text_of(body, "url") != asset.url)
        return {outcome::unknown, false, "the page is another one"};
    const auto assetviews = count_in(body, "assetviews");
    const auto userviews = count_in(body, "userviews");
    const auto* degraded = body.if_contains("degraded");
    if (assetviews && userviews && degraded == nullptr)
        return {outcome::acknowledged, true, expected.judge(what, from, *assetviews, *userviews)};
    if (degraded != nullptr && is_null(body, "assetviews") && is_null(body, "userviews"))
    {
        if (*degraded == json::array{"reporting"})
            return {outcome::acknowledged, false};
        if (*degraded == json::array{"events"})
            return {outcome::unknown, false};
    }
    return {outcome::unknown, false, "neither counts nor a degraded answer"};
}

attempt_result judge(const lean_answer& answer, const known_asset& asset, const play& what,
                     const expected_views::floor& from, expected_views& expected)
{
    boost::system::error_code ec;
    const auto body = json::parse(answer.body, ec);
    if (ec || !body.is_object())
        return {outcome::unknown, false, "no JSON object"};
    if (answer.status == 200)
        return judge_play(body.as_object(), asset, what, from, expected);
    const bool problem = answer.head.find("application/problem+json") != std::string::npos &&
                         count_in(body.as_object(), "status") == static_cast<std::uint64_t>(answer.status) &&
                         !text_of(body.as_object(), "code").empty();
    if (!problem)
        return {outcome::unknown, false, "an error that is no problem+json"};
    if (answer.status == 503)
        return {outcome::refused, false};
    if (answer.status == 504)
        return {outcome::unknown, false};
    return {answer.status < 500 ? outcome::refused : outcome::unknown, false,
            "no failure of a part explains this status"};
}

} // namespace

std::vector<known_asset> seed_assets()
{
    return {{"123", "It", "horror", "A very scary movie", "path/to/asset123.mp4"},
            {"456", "Terminator", "action", "Summary for terminator", "path/to/asset456.mp4"}};
}

void load_report::add(const load_report& other)
{
    attempts += other.attempts;
    acknowledged += other.acknowledged;
    uncounted += other.uncounted;
    refused += other.refused;
    unknown += other.unknown;
    unconnected += other.unconnected;
    broken += other.broken;
    for (const auto& [status, count] : other.statuses)
        statuses[status] += count;
    wrong += other.wrong;
    wrong_examples.insert(wrong_examples.end(), other.wrong_examples.begin(), other.wrong_examples.end());
    longest_outage = std::max(longest_outage, other.longest_outage);
    time += other.time;
}

class load::running
{
public:
    running(load_settings with, expected_views& expected);
    ~running();

    [[nodiscard]] bool wait(std::uint64_t count, std::chrono::milliseconds patience);
    [[nodiscard]] load_report report();
    [[nodiscard]] bool done();
    void stop();

private:
    asio::awaitable<void> client(std::size_t index);
    asio::awaitable<bool> attempt(lean_http& edge, std::size_t& at, const known_asset& asset, const play& what,
                                  const expected_views::floor& from);
    asio::awaitable<void> watch_time();
    void write_down(const play& what, outcome came_to);
    void record(exchange how, const lean_answer& answer, const attempt_result& result, const play& what);
    void ended();

    load_settings with_;
    expected_views& expected_;
    std::ofstream ledger_;
    asio::io_context io_{1};
    asio::steady_timer watch_{io_};
    std::deque<lean_http> edges_;
    std::uint64_t next_ = 0;
    std::size_t clients_left_;

    std::mutex mutex_; ///< guards what follows
    std::condition_variable changed_;
    load_report report_;
    steady::time_point start_ = steady::now();
    steady::time_point end_ = start_;
    steady::time_point last_acknowledged_ = start_;
    std::uint64_t wanted_ = 0; ///< a waiter's
    bool stopping_ = false;
    bool done_ = false;

    std::thread thread_;
};

load::running::running(load_settings with, expected_views& expected)
    : with_(std::move(with)), expected_(expected), clients_left_(with_.clients)
{
    if (!with_.ledger.empty())
        ledger_.open(with_.ledger, std::ios::app);
    for (std::size_t i = 0; i < with_.clients; ++i)
        edges_.emplace_back(io_);
    for (std::size_t i = 0; i < with_.clients; ++i)
        asio::co_spawn(io_, client(i),
                       [this](const std::exception_ptr& e)
                       {
                           if (e)
                               std::rethrow_exception(e); // a bug in the driver: ends the program
                           if (--clients_left_ == 0)
                               ended();
                       });
    asio::co_spawn(io_, watch_time(),
                   [](const std::exception_ptr& e)
                   {
                       if (e)
                           std::rethrow_exception(e);
                   });
    thread_ = std::thread([this] { io_.run(); });
}

load::running::~running()
{
    io_.stop();
    thread_.join();
}

asio::awaitable<void> load::running::client(std::size_t index)
{
    const bool retries = with_.retry == retrying::always || (with_.retry == retrying::half && index % 2 == 0);
    std::size_t at = index;
    asio::steady_timer pause(io_);
    for (;;)
    {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_)
                break;
        }
        if (with_.plays > 0 && next_ >= with_.plays)
            break;
        const auto n = next_++;
        const auto random = mixed(with_.seed, n);
        const auto& asset = with_.assets[(random >> 32U) % with_.assets.size()];
        play what{asset.id,
                  "viewer-" + std::to_string((random & 0xFFFFFFFFU) % with_.users),
                  {},
                  "play-" + std::to_string(with_.seed) + "-" + std::to_string(n)};
        what.event = event_id_for_key(user_id::parse(what.user).value(), what.key);
        const auto from = expected_.attempt(what);
        while (!co_await attempt(edges_[index], at, asset, what, from))
        {
            pause.expires_after(pause_after_failure);
            co_await pause.async_wait(asio::use_awaitable);
            if (!retries)
                break;
        }
    }
}

asio::awaitable<bool> load::running::attempt(lean_http& edge, std::size_t& at, const known_asset& asset,
                                             const play& what, const expected_views::floor& from)
{
    const int port = with_.ports[at % with_.ports.size()];
    std::string request = "POST /play/asset/" + percent_encoded(what.asset) + "/user/" + percent_encoded(what.user) +
                          " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nIdempotency-Key: " + what.key +
                          "\r\n\r\n";
    lean_answer answer;
    const auto how = co_await edge.send(port, std::move(request), answer, steady::now() + with_.limit);
    attempt_result result;
    switch (how)
    {
    case exchange::refused:
        result.what = outcome::refused;
        break;
    case exchange::broken:
        break;
    case exchange::silent:
        result.wrong = "no answer in time";
        break;
    case exchange::answered:
        result = judge(answer, asset, what, from, expected_);
        break;
    }
    if (how != exchange::answered)
        ++at; // the next edge
    if (result.what == outcome::acknowledged)
        expected_.acknowledge(what);
    write_down(what, result.what);
    record(how, answer, result, what);
    co_return result.what == outcome::acknowledged;
}

void load::running::write_down(const play& what, outcome came_to)
{
    if (!ledger_.is_open())
        return;
    const json::object line{
        {"event", what.event}, {"asset", what.asset}, {"user", what.user}, {"outcome", name_of(came_to)}};
    ledger_ << json::serialize(line) << '\n';
}

void load::running::record(exchange how, const lean_answer& answer, const attempt_result& result, const play& what)
{
    const auto now = steady::now();
    const std::lock_guard lock(mutex_);
    auto& r = report_;
    ++r.attempts;
    if (how == exchange::answered)
        ++r.statuses[answer.status];
    r.unconnected += how == exchange::refused ? 1 : 0;
    r.broken += how == exchange::broken ? 1 : 0;
    r.refused += result.what == outcome::refused ? 1 : 0;
    r.unknown += result.what == outcome::unknown ? 1 : 0;
    if (result.what == outcome::acknowledged)
    {
        r.uncounted += result.counted ? 0 : 1;
        r.longest_outage =
            std::max(r.longest_outage, std::chrono::duration_cast<std::chrono::milliseconds>(now - last_acknowledged_));
        last_acknowledged_ = now;
        if (++r.acknowledged >= wanted_)
            changed_.notify_all();
    }
    if (result.wrong.empty())
        return;
    ++r.wrong;
    if (r.wrong_examples.size() < most_examples)
        r.wrong_examples.push_back(result.wrong + ": " + what.asset + " " + what.user + " " + what.key + ": " +
                                   std::to_string(answer.status) + " " + answer.body);
}

asio::awaitable<void> load::running::watch_time()
{
    while (clients_left_ > 0)
    {
        watch_.expires_after(timeout_check);
        co_await watch_.async_wait(asio::use_awaitable);
        const auto now = steady::now();
        for (auto& edge : edges_)
            edge.enforce(now);
    }
}

void load::running::ended()
{
    ledger_.close();
    const std::lock_guard lock(mutex_);
    done_ = true;
    end_ = steady::now();
    changed_.notify_all();
}

bool load::running::wait(std::uint64_t count, std::chrono::milliseconds patience)
{
    std::unique_lock lock(mutex_);
    wanted_ = count;
    for (;;)
    {
        if (report_.acknowledged >= count)
            return true;
        if (done_)
            return false;
        const auto before = report_.acknowledged;
        changed_.wait_for(lock, patience, [&] { return done_ || report_.acknowledged >= count; });
        if (report_.acknowledged == before && !done_)
            return false;
    }
}

load_report load::running::report()
{
    const std::lock_guard lock(mutex_);
    auto now = report_;
    now.time = std::chrono::duration_cast<std::chrono::milliseconds>((done_ ? end_ : steady::now()) - start_);
    return now;
}

bool load::running::done()
{
    const std::lock_guard lock(mutex_);
    return done_;
}

void load::running::stop()
{
    const std::lock_guard lock(mutex_);
    stopping_ = true;
}

load::load(load_settings with, expected_views& expected)
    : running_(std::make_unique<running>(std::move(with), expected))
{
}
load::~load() = default;

bool load::wait_for_acknowledged(std::uint64_t count, std::chrono::milliseconds patience) const
{
    return running_->wait(count, patience);
}

load_report load::so_far() const { return running_->report(); }
void load::stop() { running_->stop(); }

load_report load::finish(std::chrono::milliseconds patience)
{
    const auto never = ~std::uint64_t{0};
    (void)running_->wait(never, patience);
    auto report = running_->report();
    if (!running_->done())
        throw std::runtime_error("nothing was acknowledged for " + std::to_string(patience.count()) + " ms, " +
                                 std::to_string(report.acknowledged) + " plays were before");
    return report;
}

} // namespace marquee::test
