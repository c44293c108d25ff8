// What an edge changes when its configuration file is read again.
#pragma once

#include "broker/program/settings_reloader.hpp"
#include "edge/worker.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace marquee
{

/// Puts other settings in force in all workers of an edge. On the main thread.
class live_reload
{
public:
    /// `all` and `limit` outlive it; `io` is of the main thread.
    live_reload(asio::io_context& io, std::vector<std::unique_ptr<edge_worker>>& all, connection_limit& limit,
                std::shared_ptr<rate_limits> rates);

    /// Options that apply() changes; see settings_reloader::live_part.
    [[nodiscard]] static std::vector<std::string> options();

    /// Reads everything that the new values name, then hands it to the workers. Fails, and has
    /// changed nothing, as read_edge_config() and live_settings::from() do. `done` is called on the
    /// main thread when all workers have it in force.
    [[nodiscard]] result<void> apply(const boost::program_options::variables_map& values, std::function<void()> done);

private:
    asio::io_context& io_;
    std::vector<std::unique_ptr<edge_worker>>& all_;
    connection_limit& limit_;
    std::shared_ptr<rate_limits> rates_; ///< in force
};

} // namespace marquee
