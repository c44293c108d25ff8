#include "edge/upstream/instance_watch.hpp"

#include "broker/base/co_spawn_logged.hpp"

#include <utility>

namespace marquee
{

namespace
{

constexpr std::chrono::milliseconds look_limit{100};

} // namespace

instance_watch::instance_watch(asio::io_context& io, fleet_view& fleet, std::function<bool()> link_up,
                               std::string service, std::chrono::milliseconds pause, handlers how)
    : io_(io), fleet_(fleet), link_up_(std::move(link_up)), service_(std::move(service)), pause_(pause),
      handlers_(std::move(how)), timer_(io)
{
    look_after(std::chrono::milliseconds(0));
}

void instance_watch::look_after(std::chrono::milliseconds pause)
{
    timer_.expires_after(pause);
    timer_.async_wait(
        [this](boost::system::error_code ec)
        {
            if (!ec)
                co_spawn_logged("looking for the instances of a service", io_.get_executor(), look(*this));
        });
}

asio::awaitable<void> instance_watch::look(instance_watch& self)
{
    const bool link_was_up = self.link_up_();
    const auto until = deadline::in(look_limit);
    auto looking = self.fleet_.any_instance_matches("INFO", self.service_, self.handlers_.on_instance, until);
    (void)co_await std::move(looking);
    self.handlers_.on_end(link_was_up && self.link_up_());
    self.look_after(self.pause_);
}

} // namespace marquee
