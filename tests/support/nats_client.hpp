// A NATS client for tests that send requests to services directly or fake services. HTTP calls can
// run on the same loop, so that a fake answers them.
#pragma once

#include "broker/nats/connection.hpp"
#include "tests/support/http_client.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::test
{

/// Everything happens on the caller's thread, inside the member functions. They throw
/// std::runtime_error when what they wait for does not happen within their limit.
class nats_client
{
public:
    using milliseconds = std::chrono::milliseconds;
    static constexpr milliseconds patience{20000};

    explicit nats_client(const std::string& url);

    /// Publishes a request as it is (any subject, any bytes) and waits for the first reply, an
    /// error reply included.
    message request(const std::string& subject, const std::string& payload = {}, const header_list& headers = {},
                    milliseconds limit = patience);

    /// The same for a subject that several answer: waits for `count` replies, and for others that
    /// are in flight by then.
    std::vector<message> ask_all(const std::string& subject, std::size_t count, milliseconds limit = patience);

    /// Stores a message in the stream that takes `subject`; its sequence.
    std::uint64_t store(const std::string& subject, const std::string& payload);

    /// As `nats pub`: without a reply. Returns when the server has it.
    void publish(const std::string& subject, const std::string& payload);

    /// Waits until a service has, or has not, an instance that the broker knows of.
    void wait_until_present(const std::string& service, bool present = true);

    /// Waits until the link is up, as after a restart of the broker.
    void wait_until_connected();

    /// Calls `seen` for every message on `pattern`, inside other members of this client, until what
    /// it returns is destroyed. In place when it returns.
    [[nodiscard]] std::shared_ptr<subscription> listen(const std::string& pattern,
                                                       std::function<void(const message&)> seen);

    /// Answers every request on `pattern` with `reply`, as a member of queue group `q`. In place
    /// when it returns.
    void fake(const std::string& pattern, std::string reply, header_list headers = {});
    void end_fakes();

    /// As fake(), until what it returns is destroyed and another member of this client has been
    /// called.
    [[nodiscard]] std::shared_ptr<subscription> fake_until_dropped(const std::string& pattern, std::string reply,
                                                                   header_list headers = {});

    /// HTTP on this client's loop, each call on a connection of its own and all at once. Throws
    /// what http_client throws.
    std::vector<http_answer> call_all(int port, const std::vector<http_call>& calls, milliseconds limit = patience);
    http_answer call(int port, const http_call& what, milliseconds limit = patience);

private:
    void run_until(const std::function<bool()>& done, const std::string& what, milliseconds limit);
    void flush();

    asio::io_context io_{1};
    std::unique_ptr<connection> nats_;
    std::vector<std::shared_ptr<subscription>> fakes_;
};

} // namespace marquee::test
