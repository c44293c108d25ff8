// A catalogue in a JetStream KV bucket (ADR-8), held whole in memory.
#pragma once

#include "broker/jetstream/stream_settings.hpp"
#include "broker/nats/connection.hpp"
#include "services/catalogue/catalogue_store.hpp"
#include "services/catalogue/kv_watch.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace marquee
{

/// Reads come from memory (kv_watch), also while the watch is down: stale_for() tells for how long.
/// Changes are compare-and-set in the bucket. Lives on the connection's io thread; must outlive its
/// calls.
class kv_store final : public catalogue_store
{
public:
    struct settings
    {
        std::string bucket; ///< stream KV_<bucket>
        int replicas = 1;
        bool allow_discard_old = false;    ///< see stream_config
        std::vector<catalogue_seed> seeds; ///< what a new bucket is filled with, once
        /// Whether a value is a record of its asset: any client may write into a bucket. A value
        /// that is not counts as absent.
        std::function<bool(const asset_id& id, std::string_view value)> valid = {};
        index_maker make_index = {}; ///< see kv_watch::settings
        /// How often memory is compared with the bucket: records vanish without a message where
        /// they expire or are purged.
        std::chrono::milliseconds compare_every{5000};
        std::chrono::milliseconds idle_heartbeat{0}; ///< see ordered_consumer::settings
    };

    kv_store(connection& nats, settings what);
    ~kv_store() override;

    /// Creates the bucket where it is missing, seeds it, and waits until all of it is in memory.
    /// Fails as ensure_stream does, or with timeout at `until`.
    [[nodiscard]] asio::awaitable<result<void>> open(deadline until);

    [[nodiscard]] const catalogue_entry* get(const asset_id& id) const override;
    [[nodiscard]] catalogue_page list(std::string_view after, std::size_t limit, std::size_t max_bytes) const override;

    [[nodiscard]] const catalogue_index* index() const noexcept override { return watch_->table().index(); }

    /// Answered once the bucket has it and get() shows it. `unavailable` while the watch is down,
    /// or where the bucket cannot be asked for a tag not seen yet: nothing was sent.
    [[nodiscard]] asio::awaitable<result<record_tag>> put(asset_id id, std::string value, expectation expected,
                                                          deadline until) override;
    [[nodiscard]] asio::awaitable<result<record_tag>> erase(asset_id id, expectation expected, deadline until) override;

    /// How long memory may have been behind the bucket; zero while the watch is in place and has
    /// caught up.
    [[nodiscard]] std::chrono::milliseconds stale_for() const;

    /// For STATS: {"records","revision","stale_for_ms","vanished","read_anew","consumer_lost"}, and
    /// "alarm" while the watch is lost again and again. `vanished` and `read_anew` since the start:
    /// keys that were gone without a delete marker, and how often the bucket was read from its
    /// beginning again.
    [[nodiscard]] boost::json::value statistics() const;

    /// The stream behind such a bucket, as it is made where it is missing.
    [[nodiscard]] static stream_config stream_of(const settings& what);

private:
    asio::awaitable<result<record_tag>> write(asset_id id, std::string value, bool marker,
                                              std::optional<revision> expected, deadline until);
    asio::awaitable<result<record_tag>> put_over_marker(asset_id id, std::string value, revision marker,
                                                        deadline until);
    asio::awaitable<std::optional<record_tag>> find_standing(const asset_id& id, const std::string& value,
                                                             const expectation& expected, deadline until);
    asio::awaitable<result<void>> wait_for_tag(asset_id id, record_tag tag, deadline until);
    asio::awaitable<result<void>> refresh(asset_id id, deadline until);
    [[nodiscard]] result<void> check_revision(const asset_id& id, revision expected) const;

    connection& nats_;
    settings what_;
    std::string stream_;
    std::shared_ptr<kv_watch> watch_;
};

} // namespace marquee
