// A nats-server for one test, on a free port, with a store in a temporary folder that is removed at
// the end.
#pragma once

#include "tests/support/process.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace marquee::test
{

class nats_server
{
public:
    /// Starts it with JetStream and waits until it takes connections. `extra` is more
    /// configuration, in the server's own language. Throws std::runtime_error with the server's
    /// output when it does not come up.
    explicit nats_server(std::string extra = {});
    ~nats_server();
    nats_server(const nats_server&) = delete;
    nats_server& operator=(const nats_server&) = delete;

    [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] int port() const noexcept { return port_; }
    [[nodiscard]] pid_t pid() const { return process_->pid(); }
    [[nodiscard]] std::filesystem::path store() const { return folder_ / "store"; }
    [[nodiscard]] std::string output() const { return process_ ? process_->output() : std::string(); }

    void kill();          ///< SIGKILL, and waits
    void stop();          ///< SIGTERM, and waits
    void restart();       ///< on the same port and store, after kill() or stop(); waits until it takes connections
    void suspend() const; ///< SIGSTOP, and waits until it has stopped
    void resume() const;  ///< SIGCONT

private:
    void start();
    void start_anywhere();
    void end(int signal);

    std::filesystem::path folder_;
    std::string extra_;
    int port_ = 0; ///< the same over restarts
    std::unique_ptr<process> process_;
};

/// The server's executable: MARQUEE_NATS_SERVER, or what broker/nats-server/find says.
[[nodiscard]] std::string nats_server_path();

} // namespace marquee::test
