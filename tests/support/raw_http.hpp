// Sends raw bytes to an HTTP server, for requests that no HTTP client sends.
#pragma once

#include "tests/support/http_client.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::test
{

/// A connection to 127.0.0.1:`port`, from 127.0.0.`last`. Blocking; throws std::runtime_error when
/// it cannot connect.
class raw_connection
{
public:
    explicit raw_connection(int port, int last = 1);
    ~raw_connection();
    raw_connection(raw_connection&& other) noexcept;
    raw_connection& operator=(raw_connection&&) = delete;

    /// Sends as much as the server takes, and reads its answers meanwhile. False: the server has
    /// closed, or `limit` has passed.
    bool send(std::string_view bytes, std::chrono::milliseconds limit = std::chrono::seconds(60));

    /// Shuts down the sending side.
    void shut_down() const;

    /// Reads until what has been received holds `part`, or until the server has closed. False:
    /// neither within `limit`.
    bool wait_for(std::string_view part, std::chrono::milliseconds limit = std::chrono::seconds(60));

    /// Reads until the server has closed. False: not within `limit`.
    bool wait_for_end(std::chrono::milliseconds limit = std::chrono::seconds(60));

    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] const std::string& received() const noexcept { return received_; }
    [[nodiscard]] int descriptor() const noexcept { return fd_; }

private:
    bool turn(short wanted, std::chrono::steady_clock::time_point until);
    void read_some();

    int fd_;
    bool closed_ = false;
    std::string received_;
};

/// The answers in `received`, in order. `bodiless`: the numbers of those that have no body although
/// they have a length. Throws std::runtime_error where it is no sequence of whole answers.
[[nodiscard]] std::vector<http_answer> answers_in(std::string_view received,
                                                  const std::vector<std::size_t>& bodiless = {});

} // namespace marquee::test
