// Publishes a file of events to stream EVENTS, pipelined: the heart of marquee-replay.
#pragma once

#include "broker/connection.hpp"
#include "tests/replay/tool/event_line.hpp"
#include "tests/replay/tool/progress_file.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <fstream>
#include <optional>
#include <string>

namespace marquee::replay
{

struct replay_settings
{
    std::string file;
    std::string state_file; ///< empty: none is kept
    std::string skip_file;  ///< lines that cannot be sent go there; empty: the first one ends the replay
    double rate = 0;        ///< events a second; 0: as fast as they are acknowledged
    bool loop = false;
    std::chrono::milliseconds timeout{0}; ///< how long nothing may be acknowledged before the replay gives up
};

/// All on the io thread. The window holds what was sent and is not yet known to be stored, in the order of the file, so that its front is where a later run
/// goes on.
class replayer
{
public:
    replayer(connection& nats, replay_settings settings, replay_progress from, line_reader reader);

    /// To the end of the file, or until stop(). Fails where it cannot go on: a line that is no event line or is too large and no file for such lines,
    /// nothing acknowledged for `timeout`, a file that cannot be read or written. Then, too, the state file names the first line that is not acknowledged.
    asio::awaitable<result<void>> run();

    /// Sends nothing more; run() returns when what was sent is settled.
    void stop();

    /// True where run() ended because of stop().
    [[nodiscard]] bool stopped() const noexcept { return stopping_; }
    [[nodiscard]] const replay_progress& progress() const noexcept { return progress_; }

    /// Events without a Nats-Msg-Id that may or may not be stored although the state says they are to be sent: they may be counted twice.
    [[nodiscard]] std::size_t uncertain() const noexcept;

private:
    using clock = deadline::clock;

    struct sent_line
    {
        event_line event = {};
        file_position after = {};
        std::optional<pending_reply> pending = {}; ///< none: the line is skipped
        std::optional<bool> stored = {};           ///< true: as a duplicate
        std::optional<error> failed = {};          ///< why the last attempt is known to have failed
        bool refused = false;                      ///< JetStream answered with an error, once at least
        std::string skipped = {};                  ///< the line itself, where it is not to be sent
        std::string text = {};                     ///< the line itself, where it may have to be skipped
    };

    void fill();
    void take_line();
    bool may_send() const;
    bool skips() const noexcept { return !settings_.skip_file.empty(); }
    void skip(sent_line& line, const std::string& why);
    void name_line(const char* what, std::uint64_t line, const std::string& why);
    asio::awaitable<result<void>> settle_front();
    asio::awaitable<void> wait_for_input();
    pending_reply send(const event_line& event);
    asio::awaitable<result<void>> settle(sent_line& line);
    void take_settled();
    asio::awaitable<result<void>> recover();
    asio::awaitable<void> pause(clock::time_point until);
    result<void> save();
    result<void> save_sometimes();
    [[nodiscard]] error at_front(const error& why) const;

    connection& nats_;
    replay_settings settings_;
    replay_progress progress_;
    line_reader reader_;
    std::deque<sent_line> window_;
    std::size_t bytes_in_window_ = 0;
    std::optional<error> bad_line_; ///< the next line, which cannot be sent
    std::string line_;
    bool at_end_ = false;
    bool starved_ = false; ///< a stream has no whole line yet
    bool blocked_ = false; ///< the last line in the window was refused before it was sent
    bool stopping_ = false;
    clock::time_point due_ = clock::now(); ///< of the next event, at the given rate
    clock::time_point saved_ = clock::now();
    file_position saved_at_;
    clock::time_point last_success_ = clock::now();
    std::uint64_t named_ = 0; ///< lines that the log names
    std::optional<error> cannot_write_;
    std::ofstream skipped_;
    prefix_digest digest_;
    asio::steady_timer pause_;
    asio::posix::stream_descriptor input_;
};

} // namespace marquee::replay
