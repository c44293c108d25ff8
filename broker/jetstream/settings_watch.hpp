// Checks the settings of a stream in use: an operator may change them at any time.
#pragma once

#include "broker/jetstream/stream_settings.hpp"
#include "broker/nats/connection.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace marquee
{

/// The period of the checks, and so the longest time until an edit is noticed.
inline constexpr std::chrono::milliseconds settings_check = std::chrono::seconds(20);

/// Logs accepted settings under which data can be lost, at the first check and when they change.
/// While the stream cannot be asked, the last judgement is kept. On the connection's io thread; the
/// connection must outlive it.
class settings_watch
{
public:
    struct settings
    {
        stream_config stream;
        std::chrono::milliseconds period = settings_check;
    };

    /// Called on the io thread when it changes: why the stream cannot be used (refusal_text), or an
    /// empty text when it can be used again.
    using refusal_handler = std::function<void(const std::string& why)>;

    virtual ~settings_watch() = default;

    /// The first check begins at once.
    [[nodiscard]] static std::unique_ptr<settings_watch> start(connection& nats, settings what,
                                                               refusal_handler on_refusal);

    /// Checks that were answered, since the start.
    [[nodiscard]] virtual std::uint64_t looks() const noexcept = 0;

    /// Ends it: the handler is not called after this returns.
    virtual void stop() = 0;
};

} // namespace marquee
