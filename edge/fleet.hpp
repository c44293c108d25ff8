// The services as they tell about themselves over the NATS Services protocol (ADR-32).
#pragma once

#include "broker/requester.hpp"
#include "edge/remembered.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace marquee
{

/// Which services have an instance that answers.
struct presence
{
    bool metadata = false;
    bool cdnurl = false;
    bool reporting = false;
};

/// Both questions are asked at most once a second, whoever wants to know: a visitor must not be able to make the fleet busy. On one io thread.
class fleet_view
{
public:
    /// Until then nobody is there. `through` outlives the calls below.
    void look_through(survey& through) noexcept { survey_ = &through; }

    /// Asks for one answer of each service; waits half a second at most.
    [[nodiscard]] asio::awaitable<presence> who_is_there();

    /// A services_reply: all instances that answered within half a second, sorted by name and id. It ends sooner, when none has answered
    /// for a tenth. Replies that make no sense are left out. Fails with disconnected, or overloaded.
    [[nodiscard]] asio::awaitable<result<std::string>> services();

private:
    asio::awaitable<presence> ask_who_is_there();
    asio::awaitable<result<std::string>> ask_services();

    survey* survey_ = nullptr;
    remembered<presence> presence_{std::chrono::seconds(1)};
    remembered<result<std::string>> services_{std::chrono::seconds(1)};
};

/// The services_reply that replies to INFO and to STATS make together. An instance is in it where its INFO makes sense; its endpoints have
/// numbers where its STATS does. The first reply of an instance counts.
[[nodiscard]] std::string describe_services(const std::vector<std::string>& infos, const std::vector<std::string>& stats);

} // namespace marquee
