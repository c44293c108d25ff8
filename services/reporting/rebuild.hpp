// Counts the stream anew into FILE.new, beside the counts that serve.
#pragma once

#include "broker/jetstream/ordered_consumer.hpp"
#include "broker/nats/connection.hpp"
#include "services/reporting/projection/projection.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace marquee
{

/// Reads the stream from its start into FILE.new. Goes on with a FILE.new that was begun by the
/// same rule and of the same stream. Lives on the connection's io thread.
class rebuild : public std::enable_shared_from_this<rebuild>
{
    struct private_tag
    {
    };

public:
    /// Called on the io thread, and not after stop(), finish() or give_up().
    struct handlers
    {
        std::function<void()> on_progress;                  ///< something was counted
        std::function<void(const std::string&)> on_failure; ///< it has stopped; FILE.new stays
    };

    /// Opens FILE.new and begins to read. `settings` are those of FILE; the caller holds `lock`, of
    /// FILE. `why` is logged and part of state(). Fails where FILE.new cannot be opened.
    [[nodiscard]] static result<std::shared_ptr<rebuild>> start(connection& nats, projection_settings settings,
                                                                std::shared_ptr<file_lock> lock,
                                                                const stream_state& stream, std::string why,
                                                                handlers with);

    rebuild(private_tag, connection& nats, projection_settings settings, std::shared_ptr<file_lock> lock,
            std::string why, handlers with);
    ~rebuild();
    rebuild(const rebuild&) = delete;
    rebuild& operator=(const rebuild&) = delete;

    /// How far it has counted; of its last moment once it has ended.
    [[nodiscard]] const projection_progress& progress() const noexcept { return progress_; }

    /// Everything that the stream had is counted.
    [[nodiscard]] bool caught_up() const noexcept { return consuming_ && pending_ == 0; }

    /// Its consumer is in place.
    [[nodiscard]] bool consuming() const noexcept { return consuming_; }

    /// False once it has stopped, finished or failed.
    [[nodiscard]] bool running() const noexcept { return consumer_ != nullptr; }

    /// Logs how far it has counted, at most every five seconds.
    void log_progress();

    /// Stops reading. What was counted stays in FILE.new. Also from within a handler.
    void stop();

    /// Marks FILE.new as rebuilt and closes it with an empty log, ready for swap_databases; then
    /// equivalent to stop(). After a failure it goes on.
    [[nodiscard]] result<void> finish();

    /// Equivalent to stop(); `why` FILE.new must not replace FILE becomes part of state().
    void give_up(std::string why);

    /// For the statistics.
    [[nodiscard]] boost::json::object state() const;

private:
    result<void> open(const stream_state& stream);
    bool continue_file(const stream_state& stream);
    void consume();
    void on_state(bool up, const stream_state& stream);
    void on_batch(const std::vector<stored_message>& batch);
    void start_over(const stream_state& stream);
    void fail_with(const error& why);

    connection& nats_;
    projection_settings settings_; ///< of FILE.new
    std::shared_ptr<file_lock> lock_;
    std::string why_;
    handlers handlers_;
    std::optional<projection> counts_; ///< none once it has ended
    projection_progress progress_;
    stream_state stream_; ///< as the consumer last saw it
    std::unique_ptr<ordered_consumer> consumer_;
    std::string why_stopped_;
    std::uint64_t pending_ = 0; ///< messages still to be counted
    bool consuming_ = false;
    bool writing_ = false; ///< a transaction is open
    std::chrono::steady_clock::time_point logged_ = std::chrono::steady_clock::now();
};

} // namespace marquee
