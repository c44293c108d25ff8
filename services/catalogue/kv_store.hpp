// A catalogue in a JetStream KV bucket (ADR-8), held whole in memory by watching it.
#pragma once

#include "broker/jetstream.hpp"
#include "broker/sequence_waiter.hpp"
#include "services/catalogue/catalogue_table.hpp"
#include "services/catalogue/change_log.hpp"
#include "services/catalogue/held_counts.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace marquee
{

/// Reads come from memory, also while the watch is down: stale_for() tells for how long. Lives on the connection's io thread.
class kv_store final : public catalogue_store
{
public:
    struct settings
    {
        std::string bucket; ///< stream KV_<bucket>
        int replicas = 1;
        bool allow_discard_old = false;    ///< see stream_config
        std::vector<catalogue_seed> seeds; ///< what a new bucket is filled with, once
        /// Whether a value is a record of its asset: anybody may write into a bucket. What is not counts as absent.
        std::function<bool(const asset_id& id, std::string_view value)> valid = {};
        /// How often what is held is compared with the bucket: records vanish unannounced where they expire or are purged.
        std::chrono::milliseconds compare_every{5000};
    };

    kv_store(connection& nats, settings what);
    ~kv_store() override;

    /// Creates the bucket where it is missing, seeds it, and waits until all of it is in memory. Fails as ensure_stream does, or with
    /// timeout at `until`.
    [[nodiscard]] asio::awaitable<result<void>> open(deadline until);

    [[nodiscard]] const catalogue_entry* get(const asset_id& id) const override;
    [[nodiscard]] catalogue_page list(std::string_view after, std::size_t limit, std::size_t max_bytes) const override;

    /// Answered once the bucket has it and get() shows it. `unavailable` while the watch is down, or where the bucket cannot be asked for a tag not
    /// seen yet: nothing was sent.
    [[nodiscard]] asio::awaitable<result<record_tag>> put(asset_id id, std::string value, expectation expected,
                                                          deadline until) override;
    [[nodiscard]] asio::awaitable<result<record_tag>> erase(asset_id id, expectation expected, deadline until) override;

    /// How long memory may have been behind the bucket; zero while the watch is in place and has caught up.
    [[nodiscard]] std::chrono::milliseconds stale_for() const;

    /// For STATS: {"records","revision","stale_for_ms","vanished","read_anew","consumer_lost"}, and "alarm" while the watch is lost again and
    /// again. `vanished` and `read_anew` since the start: keys that were gone without a delete marker, and how often the bucket was read from
    /// its beginning again.
    [[nodiscard]] boost::json::value statistics() const;

    /// The stream behind such a bucket, as it is made where it is missing.
    [[nodiscard]] static stream_config stream_of(const settings& what);

private:
    asio::awaitable<result<void>> make(deadline until);
    /// Memory is what the bucket is, but for what is under way.
    [[nodiscard]] bool watching() const noexcept { return up_ && complete_; }
    asio::awaitable<result<void>> seed(std::uint64_t written, deadline until);
    asio::awaitable<result<bool>> holds_seeds(std::uint64_t written, deadline until);
    asio::awaitable<result<record_tag>> write(asset_id id, std::string value, bool marker, std::optional<revision> expected,
                                              deadline until);
    asio::awaitable<result<void>> see(asset_id id, record_tag tag, deadline until);
    asio::awaitable<result<void>> look_again(asset_id id, deadline until);

    // kv_watch.cpp
    void watch_from_start();
    void watch_again();
    void watch_changed(bool up, const stream_state& bucket);
    void expect_the_end();
    void read_anew(std::string_view why);
    void take(const std::vector<stored_message>& batch);
    void apply(const stored_message& m);
    void keep(const stored_message& m);
    void look_if_complete();
    [[nodiscard]] consumer_losses losses() const;
    [[nodiscard]] std::optional<asset_id> asset_of(std::string_view key_subject) const;
    [[nodiscard]] static std::uint32_t messages_kept(const stream_state& bucket);

    // kv_compare.cpp
    [[nodiscard]] held_count held() const;
    [[nodiscard]] std::chrono::milliseconds pause_to_compare() const;
    void compare_in(std::chrono::milliseconds delay);
    void compare_soon();
    void compared();
    asio::awaitable<void> compare(std::shared_ptr<const bool> alive);
    asio::awaitable<std::optional<bool>> holds_what_is_there();
    asio::awaitable<bool> drop_what_is_gone();

    connection& nats_;
    settings what_;
    catalogue_table table_;                     ///< what is served
    std::unique_ptr<catalogue_table> incoming_; ///< a whole new copy on its way; replaces table_ when it is complete
    std::unique_ptr<ordered_consumer> watch_;
    std::string created_;       ///< of the bucket watched: tells another one of the same name
    stream_state bucket_;       ///< as it was when the watch was last put in place
    revision taken_ = 0;        ///< last message of the bucket that has been taken in
    bool up_ = false;           ///< the watch is in place
    bool resumed_ = false;      ///< it went on from taken_
    bool at_end_ = false;       ///< nothing was to come after taken_
    bool complete_ = false;     ///< and everything that stood in the bucket then has been taken in
    std::uint64_t watches_ = 0; ///< counts the times that the watch was lost or begun anew: what was found before is void
    std::shared_ptr<change_log> changes_ = std::make_shared<change_log>();
    held_counts counts_;
    bool comparing_ = false;
    bool compare_again_ = false; ///< there was a sign meanwhile
    int disagreements_ = 0;      ///< comparisons in a row that made the bucket be read anew
    deadline::clock::time_point compared_at_;
    std::uint64_t vanished_ = 0;
    std::uint64_t times_read_anew_ = 0;
    deadline::clock::time_point stale_since_ = deadline::clock::now();
    sequence_waiter served_; ///< wakes those who wait for their own change
    sequence_waiter opened_; ///< sequence 1: the table is complete for the first time
    asio::steady_timer silence_;
    asio::steady_timer comparison_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::uint64_t rereads_ = 0; ///< times the bucket was read anew without coming to its end
    std::string why_reread_;
};

} // namespace marquee
