// Plays at a given rate, whether or not earlier plays have been answered (an open loop), or as fast
// as the connections allow (a closed loop).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace marquee::test
{

struct play_stream_settings
{
    int port = 0;
    double rate = 0;                          ///< plays a second; 0: closed loop
    std::uint64_t plays = 0;                  ///< 0: until the time is up
    std::chrono::milliseconds time{0};        ///< 0: until stop(), or all plays
    std::size_t connections = 64;             ///< a play waits for a free one, and its time includes the wait
    std::chrono::milliseconds limit{10'000};  ///< for an answer, once it was sent
    std::chrono::milliseconds patience{2000}; ///< for a free connection
    std::chrono::milliseconds pause{0};       ///< of a connection after a 503, as Retry-After demands
    std::uint64_t assets = 2;                 ///< 2: those of a new system, in turn
};

/// How a play ended. Seconds since the stream began.
struct play_outcome
{
    float due = 0;       ///< when it should begin
    float sent = 0;      ///< when it was sent; equals `at` where it was not
    float at = 0;        ///< when it was answered, or given up
    int status = 0;      ///< 0: the connection broke or the limit passed; -1: there was no free connection in time
    bool proper = false; ///< 200: with its counts; 503: a problem document with Retry-After

    [[nodiscard]] float took() const noexcept { return at - due; }
    [[nodiscard]] float took_edge() const noexcept { return at - sent; } ///< without the wait for a connection
};

class play_stream
{
public:
    /// Begins on a thread of its own. Throws std::runtime_error where there are not enough
    /// descriptors.
    explicit play_stream(const play_stream_settings& with);
    ~play_stream(); ///< cancels plays in flight
    play_stream(const play_stream&) = delete;
    play_stream& operator=(const play_stream&) = delete;

    /// Seconds since it began.
    [[nodiscard]] float now() const;

    /// Answers so far, of any kind.
    [[nodiscard]] std::uint64_t answered() const;

    /// Waits until there are this many, or it has ended, or none came for `patience`: then false.
    [[nodiscard]] bool wait_for_answers(std::uint64_t count,
                                        std::chrono::milliseconds patience = std::chrono::seconds(60)) const;

    /// Starts no more plays; those in flight end.
    void stop();

    /// Waits for the end. Every play that was due is in it, in the order of their ends.
    std::vector<play_outcome> finish();

private:
    class running;
    std::unique_ptr<running> running_;
};

} // namespace marquee::test
