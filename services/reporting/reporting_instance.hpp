// A running instance of reporting: its state machine carried out. Used by reporting_service.cpp
// only.
#pragma once

#include "services/reporting/counting_queue.hpp"
#include "services/reporting/counts_publisher.hpp"
#include "services/reporting/lag_meter.hpp"
#include "services/reporting/rebuild.hpp"
#include "services/reporting/reporting_endpoints.hpp"
#include "services/reporting/reporting_fsm.hpp"
#include "services/reporting/reporting_service.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace marquee
{

/// Reads the stream into the projection, answers requests while it has caught up, and swaps in what
/// a rebuild has counted. Lives on the connection's io thread. Timers and posted handlers hold weak
/// pointers; those of the consumer, the watch and the rebuild end with stop() or destruction.
class reporting_instance : public std::enable_shared_from_this<reporting_instance>
{
public:
    reporting_instance(connection& nats, reporting_settings settings, std::shared_ptr<file_lock> lock,
                       projection counts, stream_state stream, fatal_handler fatal);

    /// Begins to count the stream anew, logging `why`. Before start(), or later by itself.
    [[nodiscard]] result<void> begin_rebuild(const std::string& why);

    /// Registers the endpoints and begins to count. `usable`: the counts belong to the stream; else
    /// a rebuild must have begun.
    [[nodiscard]] result<void> start(settings_watch::settings watched, bool usable);

    /// Lets requests that wait for an event have it, then stops counting and commits.
    asio::awaitable<void> stop(deadline until);

private:
    using clock = std::chrono::steady_clock;

    // State, endpoints and queue group (reporting_instance.cpp).
    result<void> register_endpoints();
    [[nodiscard]] boost::json::value statistics() const;
    void advance(const reporting_event& event, const std::string& why = {});
    void follow_queue_group();
    static asio::awaitable<void> announce(std::shared_ptr<reporting_instance> self, bool first);
    void on_refused_settings(const std::string& why);
    void check_later();
    void log_progress();

    // The consumer and transactions (reporting_counting.cpp).
    void consume();
    void on_state(bool up, const stream_state& stream);
    void on_resume_failure(resume_failure how);
    void on_batch(std::vector<stored_message> batch);
    void count_collected();
    void count_later();
    void commit();
    void commit_later();
    void commit_some();
    void hide_some();
    void check_lag();
    void stop_counting(const std::string& why);
    void end_alarm(const reporting_event& event);

    // The rebuild and its swap (reporting_swap.cpp).
    [[nodiscard]] rebuild_status status_of_rebuild() const noexcept;
    void swap_when_ready();
    [[nodiscard]] bool ready_to_swap() const;
    void refuse_swap();
    void swap();
    [[nodiscard]] result<projection> open_swapped();

    [[nodiscard]] const projection_progress& progress() const noexcept { return views_->counts.progress(); }

    connection& nats_;
    reporting_settings settings_;
    std::shared_ptr<file_lock> lock_;
    stream_state stream_; ///< as the consumer last saw it
    std::shared_ptr<reporting_views> views_;
    fatal_handler fatal_;

    reporting_fsm fsm_;
    bool in_queue_group_ = false;  ///< follows fsm_.serves() once the link lets it
    std::string alarm_;            ///< why it does not count; empty: it does
    std::string refused_settings_; ///< of the stream, why it does not serve; empty: they are accepted

    lag_meter meter_;
    counting_queue collected_; ///< received, and not staged yet
    counts_publisher publisher_;
    asio::steady_timer check_;
    asio::steady_timer commit_;
    bool commit_scheduled_ = false; ///< or in progress
    bool hiding_scheduled_ = false;
    clock::time_point retry_at_ = clock::time_point::max();
    clock::time_point started_ = clock::now();
    clock::time_point progress_logged_ = clock::now();

    std::unique_ptr<service> service_;
    std::unique_ptr<ordered_consumer> consumer_;
    std::unique_ptr<settings_watch> watch_;
    std::shared_ptr<rebuild> rebuild_; ///< none: not asked for, or done
};

} // namespace marquee
