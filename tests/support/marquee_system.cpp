#include "tests/support/marquee_system.hpp"

#include "tests/support/ports.hpp"

#include <boost/system/system_error.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace marquee::test
{

namespace fs = std::filesystem;

std::string program(const std::string& name) { return MARQUEE_BINARY_DIR "/" + name; }

namespace
{

std::string kind_of(const std::string& name) { return name.substr(0, name.find('-')); }

fs::path new_folder()
{
    std::string pattern = (fs::temp_directory_path() / "marquee_system_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("no temporary folder");
    return pattern;
}

} // namespace

marquee_system::marquee_system(settings with)
    : server_(std::move(with.server)), folder_(new_folder()), extra_(std::move(with.extra)),
      admin_token_("token-of-" + folder_.filename().string())
{
    if (server_.empty())
        server_ = broker_.emplace(std::move(with.broker)).url();
    std::ofstream(folder_ / "admin-token") << admin_token_ << '\n';
    for (const auto& name : with.start)
        launch(name);
    for (const auto& name : with.start)
        wait_until_serving(name);
}

marquee_system::~marquee_system()
{
    processes_.clear();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

fs::path marquee_system::database(const std::string& reporting) const { return folder_ / (reporting + ".db"); }

process& marquee_system::launch(const std::string& name)
{
    const auto kind = kind_of(name);
    arguments words{"--server", server_};
    if (kind == "edge")
    {
        const auto port = std::to_string(ports_.try_emplace(name, free_port()).first->second);
        words.insert(words.end(), {"--listen", "127.0.0.1:" + port, "--admin-token-file", folder_ / "admin-token"});
    }
    if (kind == "reporting")
        words.insert(words.end(), {"--db", database(name)});
    if (const auto more = extra_.find(name); more != extra_.end())
        words.insert(words.end(), more->second.begin(), more->second.end());
    processes_[name].reset(); // the old process ends before the new one starts
    // At this level they log when they serve.
    const std::vector<std::pair<std::string, std::string>> environment{{"MARQUEE_LOG", "info"}};
    processes_[name] = std::make_unique<process>(program("marquee-" + kind), words, environment);
    return at(name);
}

process& marquee_system::start(const std::string& name)
{
    launch(name);
    wait_until_serving(name);
    return at(name);
}

void marquee_system::wait_until_serving(const std::string& name)
{
    const auto kind = kind_of(name);
    if (!at(name).wait_for_line(kind == "reporting" ? "caught up" : " ready", std::chrono::seconds(60)))
        throw std::runtime_error(name + " does not serve:\n" + at(name).output());
}

int marquee_system::end(const std::string& name, int signal)
{
    at(name).signal(signal);
    at(name).signal(SIGCONT);
    const auto code = at(name).wait(std::chrono::seconds(30));
    if (!code)
        throw std::runtime_error(name + " does not end:\n" + at(name).output());
    return *code;
}

int marquee_system::stop(const std::string& name) { return end(name, SIGTERM); }
void marquee_system::kill(const std::string& name) { end(name, SIGKILL); }

http_answer marquee_system::call(const http_call& what, const std::string& edge) const
{
    return http(port(edge), what);
}

http_answer marquee_system::call_as_admin(http_call what, const std::string& edge) const
{
    what.headers.push_back(authorization());
    return call(what, edge);
}

http_answer marquee_system::call_until(int wanted, const http_call& what, std::chrono::milliseconds limit,
                                       const std::string& edge) const
{
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;)
    {
        http_answer answer;
        try
        {
            answer = call(what, edge);
        }
        catch (const boost::system::system_error&)
        {
            answer.status = 0;
        }
        if (answer.status == wanted || std::chrono::steady_clock::now() > end)
            return answer;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

} // namespace marquee::test
