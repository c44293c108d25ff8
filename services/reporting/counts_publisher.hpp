// Publishes the counts of messages that ask for them (contract, section 2: "a batch of an edge").
#pragma once

#include "broker/nats/connection.hpp"
#include "services/reporting/projection/projection.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace marquee
{

/// An edge names an inbox and an instance of reporting in the headers of a message of events. The
/// headers are data: whatever they say, counts go to an inbox only (connection::is_inbox()), from
/// the instance that is named, while it serves, and for a message that has just been stored. The
/// stream's own timestamps and what is pending decide that, no clock. On the io thread; the
/// connection must outlive it.
class counts_publisher final : public counts_sink
{
public:
    static constexpr std::uint64_t max_pending = 1000; ///< messages
    static constexpr std::chrono::seconds max_age{2};  ///< against the newest message

    explicit counts_publisher(connection& nats) : nats_(nats) {}

    /// The service id of this instance; until it is set, nothing is published.
    void set_instance(std::string id) { instance_ = std::move(id); }

    /// Messages are about to be counted; `newest` is the timestamp of the last one received. Those
    /// before do not matter: stream time may run backwards.
    void begin(bool serving, std::chrono::nanoseconds newest) noexcept;

    bool wants(const stored_message& m) override;
    void counted(const stored_message& m, std::string lines) override;

    /// Publishes what was counted since begin(). What finds no room is dropped: the edge asks.
    void publish();

    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; } ///< the subject is no inbox
    [[nodiscard]] std::uint64_t unsent() const noexcept { return unsent_; }   ///< no room, or no link

private:
    connection& nats_;
    std::string instance_;
    bool serving_ = false;
    std::chrono::nanoseconds newest_{0};
    std::vector<std::pair<std::string, std::string>> counted_; ///< inbox, lines
    std::uint64_t sent_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t unsent_ = 0;
};

} // namespace marquee
