#include "tests/bench/bench_system.hpp"

#include "tests/bench/nats_client.hpp"

#include <boost/json/parse.hpp>

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

/// The fast profile of ./run, and where to find the process. Of two settings of one name the server takes the later.
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

} // namespace

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

processes bench_system::with_broker(const std::string& name) { return {{"broker", broker_}, {name, programs_->at(name).pid()}}; }

std::vector<std::string> whole_system() { return {"metadata", "cdnurl", "reporting", "edge"}; }

std::uint64_t counted_events(bench_system& system)
{
    nats_client client(system.broker_url());
    const auto stats = boost::json::parse(client.ask_once(subject::of({"$SRV", "STATS", "reporting"})));
    return stats.at("endpoints").at(0).at("data").at("applied").to_number<std::uint64_t>();
}

} // namespace marquee::bench
