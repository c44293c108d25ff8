// Publishes a file of events to stream EVENTS, in order and pipelined.
#pragma once

#include "broker/nats/connection.hpp"
#include "tools/replay/bad_lines.hpp"
#include "tools/replay/event_line.hpp"
#include "tools/replay/progress_file.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace marquee::replay
{

struct replay_settings
{
    std::string file;
    std::string state_file; ///< the progress file; empty: none
    std::string skip_file;  ///< receives lines that cannot be sent; empty: the first one ends the replay
    double rate = 0;        ///< events per second; 0: as fast as they are acknowledged
    std::size_t batch = 1;  ///< the most events of consecutive lines that share a message
    bool loop = false;
    std::chrono::milliseconds timeout{0}; ///< the replay ends when nothing was acknowledged for so long
};

/// One replay. The window has the messages that were sent and are not known to be stored, in the
/// order of the file, so that a later run resumes at its front. Everything on the io thread; `nats`
/// must outlive this object.
class replayer
{
public:
    replayer(connection& nats, replay_settings settings, replay_progress from, line_reader reader);

    /// Runs to the end of the file, or until stop(). Fails if a line is malformed or too large and
    /// lines are not skipped, if nothing was acknowledged for `timeout`, or if a file cannot be
    /// read or written. In any case the progress file names the first line that is not
    /// acknowledged.
    asio::awaitable<result<void>> run();

    /// Sends nothing more. run() returns when everything that was sent is settled.
    void stop();

    /// Returns whether stop() was called.
    [[nodiscard]] bool stopped() const noexcept { return stopping_; }
    [[nodiscard]] const replay_progress& progress() const noexcept { return progress_; }

    /// Returns how many events may be counted twice: they have no Nats-Msg-Id, may be stored, and
    /// the next run sends them again.
    [[nodiscard]] std::size_t uncertain() const noexcept;

private:
    using clock = deadline::clock;

    static constexpr std::size_t overhead = 256; ///< bytes of a message on the wire beyond its payload

    /// A line, or several that share a message (replay_settings::batch).
    struct sent_message
    {
        event_line event = {};
        std::vector<file_position> ends = {};      ///< of each line
        std::optional<pending_reply> pending = {}; ///< none: a skipped line
        std::optional<bool> stored = {};           ///< true: it was stored before
        std::optional<error> failed = {};          ///< the failure of the last attempt
        bool refused = false;                      ///< JetStream answered with an error at least once
        std::string skipped = {};                  ///< the line, if it is skipped
        std::string text = {};                     ///< its lines, if they may have to be skipped

        [[nodiscard]] const file_position& after() const { return ends.back(); }
    };

    void fill();
    void take_line();
    bool may_send() const;
    [[nodiscard]] bool joins(const event_line& event) const;
    [[nodiscard]] bool may_gather() const;
    [[nodiscard]] bool is_complete() const;
    void flush();
    void split_front();
    void skip(sent_message& line, const std::string& why);
    asio::awaitable<result<void>> settle_front();
    asio::awaitable<void> wait_for_input();
    pending_reply send(const event_line& event);
    asio::awaitable<result<void>> settle(sent_message& line);
    void take_settled();
    asio::awaitable<result<void>> recover();
    void next_round();
    asio::awaitable<void> pause(clock::time_point until);
    [[nodiscard]] error at_front(const error& why) const;

    connection& nats_;
    replay_settings settings_;
    replay_progress progress_;
    line_reader reader_;
    std::deque<sent_message> window_;
    std::optional<sent_message> gathered_; ///< the next message, as far as its lines are read
    std::size_t bytes_in_window_ = 0;
    std::optional<error> bad_line_; ///< of the next line, which ends the replay
    std::string line_;
    bool at_end_ = false;
    bool starved_ = false; ///< a stream has no complete line yet
    bool blocked_ = false; ///< the connection refused the last line of the window
    bool stopping_ = false;
    clock::time_point due_ = clock::now(); ///< of the next event, at the given rate
    clock::time_point last_success_ = clock::now();
    bad_lines bad_lines_;
    progress_saver saver_;
    asio::steady_timer pause_;
    asio::posix::stream_descriptor input_;
};

} // namespace marquee::replay
