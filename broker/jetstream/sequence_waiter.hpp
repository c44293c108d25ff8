// Requests that wait until a message of a stream is applied.
#pragma once

#include "broker/base/deadline.hpp"
#include "schemas/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>

namespace marquee
{

namespace asio = boost::asio;

/// Single-threaded: everything happens on the executor. A pending wait may outlive the waiter; it
/// then fails with `stopping`.
class sequence_waiter
{
public:
    /// At most `most_waiting` waits are pending at a time.
    sequence_waiter(asio::any_io_executor executor, std::size_t most_waiting);
    ~sequence_waiter();

    /// Returns once everything up to `sequence` is applied; at once where it is. Fails with timeout
    /// at `until`, with overloaded where too many waits are pending, with stopping after stop().
    [[nodiscard]] asio::awaitable<result<void>> wait(std::uint64_t sequence, deadline until);

    /// Everything up to `sequence` is applied: wakes the waits for it. May be less than before,
    /// where the stream is read again.
    void applied(std::uint64_t sequence);

    /// Ends every wait, now and later.
    void stop();

    [[nodiscard]] bool reached(std::uint64_t sequence) const noexcept;
    [[nodiscard]] std::size_t waiting() const noexcept;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace marquee
