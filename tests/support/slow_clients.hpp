// Slow clients of several kinds, as slowhttptest has them, as part of a test.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

namespace marquee::test
{

enum class slowness
{
    silent, ///< connects and sends nothing
    head,   ///< sends half a head, then a byte every two seconds
    body,   ///< announces a body, then sends a byte every two seconds
    reader, ///< sends hundreds of requests for a large answer and never reads
    idle,   ///< has one request answered and keeps the connection
};

/// A thread sends one byte every two seconds per client, spread evenly. Only the server closes
/// connections.
class slow_clients
{
public:
    /// Connects `count` of them to 127.0.0.1:`port`: of a hundred, 20 are silent, 30 slow with a
    /// head, 25 with a body, 24 idle, and one requests the path `large` and does not read. Returns
    /// when all are connected and have sent their first bytes. Throws std::runtime_error.
    slow_clients(int port, std::size_t count, const std::string& large);
    ~slow_clients();
    slow_clients(const slow_clients&) = delete;
    slow_clients& operator=(const slow_clients&) = delete;

    /// Connections that the server has not closed.
    [[nodiscard]] std::size_t open() const noexcept { return open_; }
    [[nodiscard]] std::size_t open(slowness kind) const noexcept { return open_of_[static_cast<std::size_t>(kind)]; }

    /// False: not all are closed within `limit`.
    [[nodiscard]] bool wait_until_closed(std::chrono::milliseconds limit) const;

private:
    struct client
    {
        int fd = -1;
        slowness kind = slowness::silent;
    };

    void connect(int port, slowness kind, const std::string& large);
    void run();
    void send_bytes();
    void handle_events(client& one, unsigned events);

    int poll_;
    std::vector<client> clients_;
    std::size_t round_ = 0; ///< of send_bytes()
    std::atomic<std::size_t> open_{0};
    std::atomic<std::size_t> open_of_[5]{};
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

} // namespace marquee::test
