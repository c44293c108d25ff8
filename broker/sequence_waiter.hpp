// Requests that wait until a message of a stream has been taken in.
#pragma once

#include "broker/deadline.hpp"
#include "schemas/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>

namespace marquee
{

namespace asio = boost::asio;

/// Single-threaded: everything on the executor. A wait that is under way survives its waiter and fails with `stopping`.
class sequence_waiter
{
public:
    sequence_waiter(asio::any_io_executor executor, std::size_t most_waiting);
    ~sequence_waiter();

    /// Returns once everything up to `sequence` has been taken in; at once where it is. Fails with timeout at `until`, with overloaded where too many wait
    /// already, with stopping after stop().
    [[nodiscard]] asio::awaitable<result<void>> wait(std::uint64_t sequence, deadline until);

    /// Everything up to `sequence` has been taken in: wakes those who wait for it. Less than before where the stream is read anew.
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
