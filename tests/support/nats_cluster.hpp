// Three nats-servers on loopback that make one cluster, with replicated JetStream.
#pragma once

#include "tests/support/nats_server.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marquee::test
{

class nats_cluster
{
public:
    /// Starts them and waits until they take a stream that each of them replicates. Throws
    /// std::runtime_error.
    explicit nats_cluster(std::size_t size = 3);

    [[nodiscard]] std::size_t size() const noexcept { return servers_.size(); }
    [[nodiscard]] nats_server& at(std::size_t index) { return *servers_.at(index); }
    [[nodiscard]] std::string urls() const; ///< comma-separated

    /// Which server leads a stream; waits until one does. Throws std::runtime_error after `limit`.
    [[nodiscard]] std::size_t leader_of(const std::string& stream,
                                        std::chrono::milliseconds limit = std::chrono::seconds(60)) const;

    /// Waits until every server has all of a stream: any one may be lost then. Throws
    /// std::runtime_error after `limit`.
    void wait_until_whole(const std::string& stream, std::chrono::milliseconds limit = std::chrono::seconds(60)) const;

private:
    void start(std::size_t size);
    void wait_until_elected() const;

    std::vector<std::unique_ptr<nats_server>> servers_;
};

} // namespace marquee::test
