#include "tests/support/nats_server.hpp"

#include "tests/support/ports.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace marquee::test
{

namespace fs = std::filesystem;

std::string nats_server_path()
{
    static const std::string found = []
    {
        if (const char* given = std::getenv("MARQUEE_NATS_SERVER"))
            return std::string(given);
        std::string path;
        std::array<char, 512> chunk{};
        FILE* answer = ::popen("'" MARQUEE_SOURCE_DIR "/broker/nats-server/find'", "r");
        while (answer != nullptr && std::fgets(chunk.data(), chunk.size(), answer) != nullptr)
            path += chunk.data();
        if (answer == nullptr || ::pclose(answer) != 0)
            throw std::runtime_error("broker/nats-server/find found no nats-server");
        path.erase(path.find_last_not_of('\n') + 1);
        return path;
    }();
    return found;
}

nats_server::nats_server(std::string extra) : extra_(std::move(extra))
{
    std::string pattern = (fs::temp_directory_path() / "marquee_nats_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    start_anywhere();
}

nats_server::~nats_server()
{
    process_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

/// Another process may take a free port before the server does.
void nats_server::start_anywhere()
{
    constexpr int attempts = 3;
    for (int attempt = 1;; ++attempt)
        try
        {
            port_ = free_port();
            start();
            return;
        }
        catch (const std::runtime_error&)
        {
            if (attempt == attempts || process_->output().find("address already in use") == std::string::npos)
                throw;
        }
}

void nats_server::start()
{
    const auto config = folder_ / "server.conf";
    std::ofstream(config) << "host: 127.0.0.1\nport: " << port_ << "\njetstream { store_dir: \"" << store().string()
                          << "\" }\n"
                          << extra_ << '\n';
    process_ = std::make_unique<process>(nats_server_path(), std::vector<std::string>{"-c", config.string()});
    const std::string listening = "Listening for client connections on 127.0.0.1:" + std::to_string(port_);
    if (!process_->wait_for_line(listening) || !process_->wait_for_line("Server is ready"))
        throw std::runtime_error("nats-server did not start:\n" + process_->output());
}

void nats_server::end(int signal)
{
    if (!process_)
        return;
    process_->signal(signal);
    process_->signal(SIGCONT); // after it: so the server does nothing between resuming and its end
    if (!process_->wait(std::chrono::seconds(30)))
        throw std::runtime_error("nats-server did not end:\n" + process_->output());
}

void nats_server::kill() { end(SIGKILL); }
void nats_server::stop() { end(SIGTERM); }
void nats_server::restart() { start(); }
void nats_server::suspend() const { process_->suspend(); }
void nats_server::resume() const { process_->signal(SIGCONT); }

} // namespace marquee::test
