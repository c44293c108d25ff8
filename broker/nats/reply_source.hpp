// Takes the messages of the reply inbox out of nats.c.
#pragma once

#include "broker/nats/nats_c.hpp"
#include "broker/nats/nats_message.hpp"
#include "broker/nats/subscription_list.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace marquee::detail
{

namespace asio = boost::asio;

/// The subscription of a connection's reply inbox. A synchronous subscription cannot take replies:
/// natsSubscription_NextMsg destroys a "no responders" message, and with it the token of the
/// request. So replies are taken by nats.c's message filter on the io thread where the library has
/// it, else by an asynchronous subscription on nats.c's delivery thread.
///
/// Members are called on the io thread, and so is the handler.
class reply_source
{
public:
    /// `prefix` is the inbox without its last token. `on_batch` is called when messages came
    /// through nats.c's thread; those of the filter are there after each read. `by_callback`: do
    /// not use the filter.
    reply_source(asio::io_context& io, std::string prefix, bool by_callback, std::function<void()> on_batch);

    /// Subscribes on a new link.
    [[nodiscard]] natsStatus open(natsConnection* nc, const std::string& pattern);

    /// Unsubscribes.
    void close() { subscription_.reset(); }

    /// No handler is called after this.
    void shut();

    /// Whether the filter is used.
    [[nodiscard]] bool is_filtered() const noexcept { return MARQUEE_NATS_FILTER && !by_callback_; }

    /// Whether the filter has taken any.
    [[nodiscard]] bool has_filtered() const noexcept { return !filtered_.empty(); }

    [[nodiscard]] std::vector<nats_msg_ptr> take();

private:
    /// Shared with nats.c's delivery thread, which may still be in the callback after destruction.
    struct handover
    {
        std::mutex mutex;
        std::vector<nats_msg_ptr> arrived;
        reply_source* owner = nullptr; ///< null after shut()
    };

    natsStatus open_callback(natsSubscription** raw, natsConnection* nc, const std::string& pattern);
    static void filter(natsConnection* nc, natsMsg** msg, void* closure) noexcept;
    static void on_message(natsConnection* nc, natsSubscription* sub, natsMsg* msg, void* closure) noexcept;

    asio::io_context& io_;
    const std::string prefix_;
    const bool by_callback_;
    const std::function<void()> on_batch_;
    nats_subscription_ptr subscription_;
    std::vector<nats_msg_ptr> filtered_;
    std::shared_ptr<handover> handover_ = std::make_shared<handover>();
};

} // namespace marquee::detail
