// A KV bucket (ADR-8) held whole in memory by watching it.
#pragma once

#include "broker/jetstream/ordered_consumer.hpp"
#include "broker/jetstream/sequence_waiter.hpp"
#include "broker/nats/connection.hpp"
#include "services/catalogue/catalogue_table.hpp"
#include "services/catalogue/change_log.hpp"
#include "services/catalogue/compare_schedule.hpp"
#include "services/catalogue/held_counts.hpp"
#include "services/catalogue/kv_watch_fsm.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace marquee
{

/// Messages come by an ordered consumer. Records that vanish without a message (expired, or purged
/// by an operator) are found by comparing: kv_compare.cpp. Lives on the connection's io thread,
/// and outlives its owner while a comparison runs: the owner calls stop().
class kv_watch : public std::enable_shared_from_this<kv_watch>
{
public:
    struct settings
    {
        std::string bucket;
        /// Whether a value is a record of its asset. One that is not counts as absent; none: all
        /// are.
        std::function<bool(const asset_id& id, std::string_view value)> valid;
        std::chrono::milliseconds compare_every;
        std::chrono::milliseconds idle_heartbeat{0}; ///< see ordered_consumer::settings
        index_maker make_index = {};                 ///< for each table, also while the bucket is read anew
    };

    kv_watch(connection& nats, settings what);

    void start();

    /// Ends it: waits fail with `stopping`.
    void stop();

    /// The records that are served: also while the watch is down, when they may be old.
    [[nodiscard]] const catalogue_table& table() const noexcept { return table_; }

    /// The table equals the bucket, but for changes that are on their way.
    [[nodiscard]] bool current() const noexcept { return fsm_.current(); }

    /// Changes whenever the watch is lost or begins again: what was found out before is void.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return fsm_.epoch(); }

    /// The last revision that came.
    [[nodiscard]] revision taken() const noexcept { return fsm_.taken(); }

    /// The last revision in the bucket, when the watch began.
    [[nodiscard]] revision last_in_bucket() const noexcept { return fsm_.last_sequence(); }

    /// How long memory may have been behind the bucket; zero while current().
    [[nodiscard]] std::chrono::milliseconds stale_for() const;

    /// See kv_store::statistics.
    [[nodiscard]] boost::json::object statistics() const;

    /// Returns once the whole bucket is in memory for the first time; timeout at `until`.
    [[nodiscard]] asio::awaitable<result<void>> wait_until_read(deadline until) { return read_.wait(1, until); }

    /// Returns once the table has everything up to a revision. Fails as sequence_waiter::wait does.
    [[nodiscard]] asio::awaitable<result<void>> wait_for(revision upto, deadline until)
    {
        return served_.wait(upto, until);
    }

    /// For changes by this instance.
    [[nodiscard]] const std::shared_ptr<change_log>& changes() const noexcept { return changes_; }

    /// The table differs from the bucket: reads it again from its beginning.
    void resync(std::string_view why) { dispatch(kv_watch_event::differs{why}); }

    /// There is a sign that messages vanished from the bucket.
    void compare_soon();

    /// A key is found to be gone from the bucket without a message.
    void forget(const asset_id& id);

private:
    void dispatch(const any_kv_watch_event& event);
    void execute(kv_watch_action one);
    void start_consumer();
    void take(const std::vector<stored_message>& batch);
    void keep(const stored_message& m);
    void await_end();
    void serve();
    void read_again();
    [[nodiscard]] catalogue_table empty_table() const;
    [[nodiscard]] catalogue_table& newest() noexcept { return incoming_ ? *incoming_ : table_; }
    [[nodiscard]] held_count held() const;
    [[nodiscard]] consumer_losses losses() const;
    [[nodiscard]] std::optional<asset_id> asset_of(std::string_view key_subject) const;
    [[nodiscard]] static std::uint32_t messages_kept(const stream_state& bucket);

    // kv_compare.cpp
    void compare_at(compare_schedule::time_point when);
    void begin_comparison();
    asio::awaitable<void> compare();
    asio::awaitable<std::optional<bool>> equals_bucket();
    [[nodiscard]] std::optional<bool> judge(const stream_state& there, const result<void>& taken);
    asio::awaitable<bool> drop_what_is_gone();

    connection& nats_;
    const settings what_;
    const std::string stream_;
    kv_watch_fsm fsm_;
    catalogue_table table_;                     ///< what is served
    std::unique_ptr<catalogue_table> incoming_; ///< of a resync; replaces table_ when it is whole
    std::unique_ptr<ordered_consumer> consumer_;
    std::uint32_t history_ = 0; ///< messages that the bucket keeps of each key
    std::shared_ptr<change_log> changes_ = std::make_shared<change_log>();
    compare_schedule schedule_;
    held_counts counts_;
    std::uint64_t vanished_ = 0; ///< keys, since the start
    deadline::clock::time_point stale_since_ = deadline::clock::now();
    sequence_waiter served_; ///< what table_ has
    sequence_waiter read_;   ///< 1: table_ is whole for the first time
    asio::steady_timer silence_;
    asio::steady_timer comparison_;
};

} // namespace marquee
