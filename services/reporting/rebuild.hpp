// Counting the stream anew beside the counts that serve.
#pragma once

#include "broker/jetstream.hpp"
#include "services/reporting/projection.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace marquee
{

/// What a start finds at FILE, and beside it.
struct found_counts
{
    projection counts;    ///< of FILE; projection::none() where it cannot be used
    std::string unusable; ///< why; empty: it can be
    bool was_cut = false; ///< a rebuild was begun and is not done
};

/// Opens FILE, ends a swap that a crash has cut off, and keeps the mark of a rebuild that is done as long as `rebuild` is asked for. Fails where FILE cannot
/// be used and no rebuild is to replace it.
[[nodiscard]] result<found_counts> open_counts(const projection_settings& settings, const std::shared_ptr<file_lock>& lock,
                                               bool rebuild);

/// Whether counts by another rule are to be counted anew: why, or nothing where they stay. They do where both rules must have given the same (no event was
/// counted), and, with a warning, where the stream no longer has its start: what is gone cannot be counted anew.
[[nodiscard]] result<std::optional<std::string>> judge_rule(projection& counts, const counting_rule& wanted,
                                                            const stream_state& stream);

/// True where the stream has no longer what it began with.
[[nodiscard]] bool start_is_gone(const stream_state& stream) noexcept;

/// Reads the stream from its start into FILE.new: goes on with what was begun by the same rule, of the same stream. Single-threaded; lives on the io thread.
class rebuild
{
public:
    struct handlers
    {
        std::function<void()> on_progress;                  ///< something was counted
        std::function<void(const std::string&)> on_failure; ///< it has stopped; FILE.new stays
    };

    /// `settings` are those of FILE.
    [[nodiscard]] static result<std::unique_ptr<rebuild>> start(connection& nats, projection_settings settings,
                                                                std::shared_ptr<file_lock> lock, const stream_state& stream,
                                                                std::string why, handlers with);

    rebuild(connection& nats, projection_settings settings, std::shared_ptr<file_lock> lock, std::string why, handlers with);
    ~rebuild();
    rebuild(const rebuild&) = delete;
    rebuild& operator=(const rebuild&) = delete;

    [[nodiscard]] const projection_progress& progress() const noexcept { return progress_; }

    /// Everything that the stream had is counted.
    [[nodiscard]] bool caught_up() const noexcept { return up_ && pending_ == 0; }

    /// Its consumer is in place.
    [[nodiscard]] bool reads() const noexcept { return up_; }

    [[nodiscard]] bool running() const noexcept { return consumer_ != nullptr; }

    /// Logs how far it is, every few seconds.
    void tell();

    /// Ends reading. What was counted stays in FILE.new.
    void stop();

    /// Ends reading, marks FILE.new as rebuilt and closes it with an emptied log: ready for swap_databases.
    [[nodiscard]] result<void> finish();

    /// For the statistics.
    [[nodiscard]] boost::json::object state() const;

    /// It is not to take FILE's place: why.
    void hold(std::string why);

private:
    result<void> open(const stream_state& stream);
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
    std::optional<projection> counts_;
    projection_progress progress_; ///< of counts_, and of what it was
    stream_state stream_;
    std::unique_ptr<ordered_consumer> consumer_;
    std::string held_;
    std::uint64_t pending_ = 0;
    bool up_ = false;
    bool writing_ = false;                                 ///< a transaction is under way
    std::shared_ptr<int> alive_ = std::make_shared<int>(); ///< for what is posted
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

} // namespace marquee
