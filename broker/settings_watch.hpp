// Looks at the settings of a stream in use: another hand may change them at any time.
#pragma once

#include "broker/connection.hpp"
#include "broker/stream_settings.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace marquee
{

/// The longest time between two looks, and so until an edit is noticed.
inline constexpr std::chrono::milliseconds settings_check = std::chrono::seconds(20);

/// Settings that are accepted although something may be lost under them are logged at the first look, and again when they change. While the
/// stream cannot be asked about, the last judgement stands. Lives on the connection's io thread.
class settings_watch
{
public:
    struct settings
    {
        stream_config stream;
        std::chrono::milliseconds period = settings_check;
    };

    /// Called on the io thread when it changes: why the stream cannot be used (refusal_text), or an empty text: it can be again.
    using refusal_handler = std::function<void(const std::string& why)>;

    virtual ~settings_watch() = default;

    /// Looks for the first time at once.
    [[nodiscard]] static std::unique_ptr<settings_watch> start(connection& nats, settings what, refusal_handler on_refusal);

    /// Looks that were answered.
    [[nodiscard]] virtual std::uint64_t looks() const noexcept = 0;

    /// Ends it; the handler is not called after this returns.
    virtual void stop() = 0;
};

} // namespace marquee
