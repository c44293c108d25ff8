// Which instances a service has, again and again.
#pragma once

#include "edge/upstream/fleet.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace marquee
{

/// Requests `$SRV.INFO.SERVICE` (ADR-32), from construction to destruction. Used on one io thread.
class instance_watch
{
public:
    /// What happens at a look.
    struct handlers
    {
        /// An instance has answered with this document. True ends the look.
        std::function<bool(const boost::json::object& info)> on_instance;

        /// A look has ended. `complete`: the link to the broker was up all the while.
        std::function<void(bool complete)> on_end;
    };

    /// A look takes at most 100 ms: a slower instance is seen at the next one, which begins `pause`
    /// later. The references outlive it.
    instance_watch(asio::io_context& io, fleet_view& fleet, std::function<bool()> link_up, std::string service,
                   std::chrono::milliseconds pause, handlers how);

private:
    void look_after(std::chrono::milliseconds pause);
    static asio::awaitable<void> look(instance_watch& self);

    asio::io_context& io_;
    fleet_view& fleet_;
    std::function<bool()> link_up_;
    std::string service_;
    std::chrono::milliseconds pause_;
    handlers handlers_;
    asio::steady_timer timer_;
};

} // namespace marquee
