// The live streams of one io thread, and the last views that they are served from.
#pragma once

#include "edge/http/body_stream.hpp"
#include "edge/metrics/metrics.hpp"
#include "edge/upstream/live_event.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace marquee
{

class live_client;

/// Gets views from a live_source and gives each client those that it wants. A client keeps no
/// views, but a place in the ring that all share: one that falls out of it is slow, is told so, and
/// ends. Without I/O and timers; single-threaded. Clients share it.
class live_hub : public std::enable_shared_from_this<live_hub>
{
public:
    struct settings
    {
        std::size_t views = 8192;            ///< in the ring
        std::size_t beats = 60;              ///< that a view stays in the ring
        std::size_t piece_bytes = 64 * 1024; ///< of what a client takes at once, about
    };

    /// Called where a client wants views that are no longer, or not yet, in the ring. The handler
    /// calls caught_up() and join() of this hub.
    using catch_up_handler = std::function<void(std::weak_ptr<live_client>)>;
    using first_client_handler = std::function<void()>;

    /// `counted` outlives the hub.
    live_hub(live_counters& counted, const settings& with) : counted_(counted), settings_(with) {}
    explicit live_hub(live_counters& counted) : live_hub(counted, settings()) {}

    void on_catch_up(catch_up_handler handler) { catch_up_ = std::move(handler); }
    void on_first_client(first_client_handler handler) { first_client_ = std::move(handler); }

    /// Adds a client, which leaves when it is destroyed. It gets the views after `after`, or from
    /// now on. `permit` lives as long as the client.
    [[nodiscard]] std::shared_ptr<live_client> add(live_filter filter, std::optional<live_place> after,
                                                   std::shared_ptr<void> permit);

    [[nodiscard]] std::size_t clients() const noexcept { return clients_; }

    /// Everything up to here is known; nothing while no place is known.
    [[nodiscard]] const std::optional<live_place>& next() const noexcept { return next_; }

    /// The feed begins at this place.
    void begin(live_place at);

    /// Views after next(), in order, and the new next(). What is not after next() is ignored. The
    /// clients get them at flush().
    void take(const std::vector<live_view>& views, live_place next);

    /// The user was erased by the message `sequence`: the user's views before it are not sent any
    /// more. Looks at the whole ring.
    void forget(std::string_view user, std::uint64_t sequence);

    /// As forget(), of users who are known by their hashes only. Makes hashes of the ring's.
    void forget(const std::vector<live_hashed_erasure>& erased);

    /// Views are missing between next() and `at`: tells all clients.
    void gap(live_place at);

    /// Wakes the clients that want what came since the last call.
    void flush();

    /// Whether flush() has anything to do.
    [[nodiscard]] bool is_dirty() const noexcept { return !dirty_.empty(); }

    /// Sends a heartbeat to the next part of all clients. Old views leave the ring: reporting, when
    /// it is asked for them, does not show those that were taken back.
    void beat(std::size_t one_of);

    /// The feed ends: no place is known any more.
    void end();

    /// Moves a client that catches up to its views in the ring. False where they are not there.
    bool join(live_client& client);

private:
    friend class live_client;

    using client_list = std::list<live_client*>;
    using index = std::unordered_map<std::string, client_list>;

    /// Where a client stands in the index that finds it.
    struct entry
    {
        index* in = nullptr; ///< nullptr: everyone_
        index::iterator key;
        client_list::iterator at;
    };

    void start(live_client& client);
    void mark(live_client& client, std::uint64_t number);
    void remove(live_client& client);
    void drop_oldest();
    [[nodiscard]] bool covers(const live_place& after) const;
    [[nodiscard]] std::uint64_t end_number() const noexcept { return first_ + ring_.size(); }
    [[nodiscard]] std::uint64_t first_after(const live_position& at) const;
    [[nodiscard]] const live_event& at(std::uint64_t number) const
    {
        return ring_[static_cast<std::size_t>(number - first_)];
    }

    live_counters& counted_;
    settings settings_;
    catch_up_handler catch_up_;
    first_client_handler first_client_;

    std::deque<live_event> ring_;
    std::uint64_t first_ = 0;        ///< the number of the first view in the ring
    std::uint64_t flushed_ = 0;      ///< clients may have the views before this number
    live_position begin_;            ///< the ring has all views after it
    std::optional<live_place> next_; ///< and up to here

    std::size_t clients_ = 0;
    client_list all_;      ///< in the order of heartbeats
    client_list everyone_; ///< those without a filter
    index by_asset_;       ///< those with an asset and no user
    index by_user_;
    std::vector<live_client*> dirty_; ///< to be woken by flush()
    std::deque<std::uint64_t> beats_; ///< flushed_ at the last beats
    std::size_t drained_ = 0;
};

/// The body of one live stream.
class live_client final : public body_stream, public std::enable_shared_from_this<live_client>
{
public:
    live_client(std::shared_ptr<live_hub> hub, live_filter filter, std::optional<live_place> after,
                std::shared_ptr<void> permit);
    ~live_client() override;
    live_client(const live_client&) = delete;
    live_client& operator=(const live_client&) = delete;

    std::string next() override;
    [[nodiscard]] bool ended() const noexcept override { return state_ == state::ended && text_.empty(); }
    void on_change(std::function<void()> changed) override { changed_ = std::move(changed); }
    void drain() override;

    // For the one who catches up.

    [[nodiscard]] const live_place& after() const noexcept { return *after_; }
    [[nodiscard]] bool catches_up() const noexcept { return state_ == state::catching_up; }
    [[nodiscard]] bool has_taken_all() const noexcept { return text_.empty(); }

    /// Views after after(), and the new after(); or a gap in front of it.
    void caught_up(const std::vector<live_view>& views, live_place next, bool gap);

private:
    friend class live_hub;

    enum class state : std::uint8_t
    {
        waiting, ///< for the hub to know its place
        catching_up,
        joined,
        ended,
    };

    void append_views();
    void end_as(const std::string& text);
    void wake();

    std::shared_ptr<live_hub> hub_;
    live_filter filter_;
    std::optional<live_place> after_; ///< where it was, until it has joined
    std::shared_ptr<void> permit_;
    state state_ = state::waiting;
    std::string text_;                  ///< to be sent before any view of the ring
    std::optional<std::uint64_t> from_; ///< it wants this view, or some after it
    bool dirty_ = false;
    bool beat_ = false;
    std::function<void()> changed_;
    live_hub::client_list::iterator in_all_;
    live_hub::entry indexed_;
};

} // namespace marquee
