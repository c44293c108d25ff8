// The subscriptions of a connection, which outlive its links.
#pragma once

#include "broker/base/freed_by.hpp"
#include "broker/nats/connection.hpp"
#include "broker/nats/nats_c.hpp"
#include "broker/nats/nats_message.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace marquee::detail
{

using nats_subscription_ptr = std::unique_ptr<natsSubscription, freed_by<natsSubscription_Destroy>>;

struct subscription_settings
{
    std::string pattern;
    std::string queue_group; ///< empty: none
    int pending_limit;       ///< messages
};

/// One subscription: a synchronous natsSubscription on each link in turn.
class nats_subscription final : public subscription
{
public:
    /// `dropped` counts for all subscriptions that are gone.
    nats_subscription(subscription_settings settings, connection::message_handler handler,
                      std::shared_ptr<std::uint64_t> dropped);
    ~nats_subscription() override { leave(); }

    natsStatus join(natsConnection* nc);

    /// Unsubscribes if there is a link.
    void leave();

    /// Null without a link.
    [[nodiscard]] natsSubscription* get() const noexcept { return raw_.get(); }

    void handle(message msg) const { handler_(std::move(msg)); }

private:
    const subscription_settings settings_;
    const connection::message_handler handler_;
    nats_subscription_ptr raw_;
    std::shared_ptr<std::uint64_t> dropped_; ///< may outlive the connection
};

/// Everything on the io thread. Holds no subscription alive: its user does.
class subscription_list
{
public:
    /// `spent` must outlive this object.
    explicit subscription_list(spent_messages& spent) : spent_(spent) {}

    /// Fails as connection::subscribe() does. Call with a link that is up.
    [[nodiscard]] result<std::shared_ptr<subscription>> add(natsConnection* nc, subscription_settings settings,
                                                            connection::message_handler handler);

    /// Subscribes all on a new link.
    [[nodiscard]] natsStatus join_all(natsConnection* nc);

    void leave_all();

    /// Calls the handlers with what nats.c has parsed. Handlers may subscribe.
    void deliver();

    /// Messages lost to a pending limit.
    [[nodiscard]] std::uint64_t dropped() const noexcept;

    /// Asks nats.c to unsubscribe `sub` and keep what has arrived for at most `limit`.
    static void start_drain(const std::shared_ptr<subscription>& sub, std::chrono::milliseconds limit);
    [[nodiscard]] static bool is_draining(const std::shared_ptr<subscription>& sub);

private:
    void deliver_one(const nats_subscription& to);

    spent_messages& spent_;
    std::vector<std::weak_ptr<nats_subscription>> all_;
    std::shared_ptr<std::uint64_t> dropped_ = std::make_shared<std::uint64_t>(0);
};

} // namespace marquee::detail
