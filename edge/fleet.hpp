// The services as they tell about themselves over the NATS Services protocol (ADR-32).
#pragma once

#include "broker/requester.hpp"
#include "edge/remembered.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// The list of services is asked for at most once a second, whoever wants to know: a visitor must not be able to make the fleet busy. On one io thread.
class fleet_view
{
public:
    /// Until then nobody is there. `through` outlives the calls below.
    void look_through(survey& through) noexcept { survey_ = &through; }

    /// Whether an instance of the service `name` answers `verb` by `until` with what `accepts` takes. The answer is read as ADR-32 has it: of this type,
    /// of this service.
    [[nodiscard]] asio::awaitable<bool> any_says(std::string_view verb, std::string_view name,
                                                 std::function<bool(const boost::json::object&)> accepts, deadline until);

    /// A services_reply: all instances that answered within half a second, sorted by name and id. It ends sooner, when none has answered
    /// for a tenth. Replies that make no sense are left out. Fails with disconnected, or overloaded.
    [[nodiscard]] asio::awaitable<result<std::string>> services();

private:
    asio::awaitable<result<std::string>> ask_services();

    survey* survey_ = nullptr;
    remembered<result<std::string>> services_{std::chrono::seconds(1)};
};

/// The services_reply that replies to INFO and to STATS make together. An instance is in it where its INFO makes sense; its endpoints have
/// numbers where its STATS does. The first reply of an instance counts.
[[nodiscard]] std::string describe_services(const std::vector<std::string>& infos, const std::vector<std::string>& stats);

} // namespace marquee
