// A listener on every subject of a broker, which can also publish and request on any subject, valid
// or not.
#pragma once

#include "broker/nats/connection.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace marquee::test
{

/// Listens on `>` from the end of its constructor on, so no request in its account gets "no
/// responders". For the test's main thread.
class wiretap
{
public:
    static constexpr const char* reply_prefix = "_INBOX_TAP.";

    /// Throws std::runtime_error when it cannot listen.
    explicit wiretap(const std::string& url);
    ~wiretap();
    wiretap(const wiretap&) = delete;
    wiretap& operator=(const wiretap&) = delete;

    /// Everything seen from message number `from` on, in the order of arrival.
    [[nodiscard]] std::vector<message> seen(std::size_t from = 0) const;

    /// How many messages have been seen.
    [[nodiscard]] std::size_t count() const;

    /// Waits for a message, number `from` or later.
    std::optional<message> wait_for(const std::function<bool(const message&)>& wanted, std::size_t from = 0,
                                    std::chrono::milliseconds limit = std::chrono::seconds(20)) const;

    /// Sends on any subject. False: the connection refused to put it on the wire.
    bool publish(const std::string& to, const std::string& payload, const header_list& headers = {},
                 const std::string& reply = {});

    /// Sends and waits for the first reply; nothing when none came, or when it was not sent.
    std::optional<message> request(const std::string& to, const std::string& payload = {},
                                   const header_list& headers = {},
                                   std::chrono::milliseconds limit = std::chrono::seconds(20));

    /// A reply subject that nothing else uses.
    [[nodiscard]] std::string new_reply();

    /// Messages that were dropped because too many came at once.
    [[nodiscard]] std::uint64_t lost();

private:
    void on_loop(const std::function<void()>& work);

    asio::io_context io_{1};
    std::unique_ptr<connection> nats_;
    std::shared_ptr<subscription> all_;
    mutable std::mutex mutex_;
    mutable std::condition_variable more_;
    std::vector<message> seen_;
    std::uint64_t replies_ = 0;
    std::thread loop_;
};

} // namespace marquee::test
