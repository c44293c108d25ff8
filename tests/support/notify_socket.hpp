// A supervisor for tests: the datagram socket that NOTIFY_SOCKET names (sd_notify(3)).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace marquee::test
{

class notify_socket
{
public:
    /// `name` is a path, or begins with '@': then it is in the abstract namespace. Throws
    /// std::runtime_error where it cannot be bound.
    explicit notify_socket(std::string name);
    ~notify_socket();
    notify_socket(const notify_socket&) = delete;
    notify_socket& operator=(const notify_socket&) = delete;

    /// For the environment of a process.
    [[nodiscard]] std::pair<std::string, std::string> variable() const { return {"NOTIFY_SOCKET", name_}; }

    /// The next datagram; nothing when none comes within `limit`.
    std::optional<std::string> receive(std::chrono::milliseconds limit = std::chrono::seconds(60)) const;

private:
    std::string name_;
    int fd_;
};

} // namespace marquee::test
