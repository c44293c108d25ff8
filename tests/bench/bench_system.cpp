#include "tests/bench/bench_system.hpp"

#include "tests/bench/nats_client.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <boost/json/parse.hpp>

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace marquee::bench
{

namespace
{

/// The fast profile of ./run, and where to find the process. Of two settings of one name the server
/// takes the later.
std::string broker_config(const std::filesystem::path& folder)
{
    return "max_payload: 1MB\njetstream { store_dir: \"" + (folder / "store").string() +
           "\", sync_interval: \"1s\" }\npid_file: \"" + (folder / "broker.pid").string() + "\"";
}

/// Half of the cores for the broker, as ./run gives it.
void share_the_cores()
{
    const auto half = std::max(1U, (std::thread::hardware_concurrency() + 1) / 2);
    ::setenv("GOMAXPROCS", std::to_string(half).c_str(), 0);
}

/// While it exists, this process starts others with SCHED_BATCH, as ./run does. The load itself
/// runs as before.
class started_as_batch
{
public:
    started_as_batch() : before_(::sched_getscheduler(0)) { (void)set(SCHED_BATCH); }
    ~started_as_batch() { (void)set(before_); }
    started_as_batch(const started_as_batch&) = delete;
    started_as_batch& operator=(const started_as_batch&) = delete;

    [[nodiscard]] static bool set(int policy)
    {
        const sched_param none{};
        return ::sched_setscheduler(0, policy, &none) == 0;
    }

private:
    int before_;
};

} // namespace

std::string scheduling()
{
    const started_as_batch guard;
    return ::sched_getscheduler(0) == SCHED_BATCH ? "SCHED_BATCH" : "the default policy";
}

temporary_folder::temporary_folder()
{
    std::string pattern = (std::filesystem::temp_directory_path() / "marquee_bench_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("no temporary folder");
    path_ = pattern;
}

temporary_folder::~temporary_folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

bench_system::bench_system(const std::vector<std::string>& names, arguments extra)
{
    share_the_cores();
    const started_as_batch guard; // of the broker
    test::marquee_system::settings with;
    with.broker = broker_config(folder_.path());
    with.start = {};
    with.extra = std::move(extra);
    auto& edge = with.extra["edge"];
    edge.insert(edge.end(), {"--max-requests-per-connection", "0"}); // the load keeps its connections
    programs_ = std::make_unique<test::marquee_system>(std::move(with));
    if (!(std::ifstream(folder_.path() / "broker.pid") >> broker_))
        throw std::runtime_error("the broker has not written its process id");
    start(names);
}

void bench_system::start(const std::vector<std::string>& names)
{
    const started_as_batch guard;
    for (const auto& name : names)
    {
        programs_->start(name);
        started_.push_back(name);
    }
}

processes bench_system::all()
{
    processes found{{"broker", broker_}};
    for (const auto& name : started_)
        found.emplace_back(name, programs_->at(name).pid());
    return found;
}

processes bench_system::with_broker(const std::string& name)
{
    return {{"broker", broker_}, {name, programs_->at(name).pid()}};
}

std::vector<std::string> whole_system() { return {"metadata", "cdnurl", "reporting", "edge"}; }

stream_size events_stream(bench_system& system)
{
    nats_client client(system.broker_url());
    const auto info = boost::json::parse(client.request_once(subject::of({"$JS", "API", "STREAM", "INFO", "EVENTS"})));
    const auto& state = info.at("state");
    return {state.at("messages").to_number<double>(), state.at("bytes").to_number<double>()};
}

double database_bytes(bench_system& system)
{
    SQLite::Database db(system.programs().database().string(), SQLite::OPEN_READONLY);
    db.setBusyTimeout(1000);
    return db.execAndGet("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").getDouble();
}

std::uint64_t counted_events(bench_system& system)
{
    nats_client client(system.broker_url());
    const auto stats = boost::json::parse(client.request_once(subject::of({"$SRV", "STATS", "reporting"})));
    return stats.at("endpoints").at(0).at("data").at("applied").to_number<std::uint64_t>();
}

} // namespace marquee::bench
