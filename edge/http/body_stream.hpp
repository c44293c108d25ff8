// A body that is made while it is sent, such as server-sent events.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace marquee
{

/// Made by a handler, sent by a session, which destroys it when the connection ends. All members
/// are called on the io thread.
class body_stream
{
public:
    virtual ~body_stream() = default;

    /// What is to be sent next; empty: nothing at present, or nothing more. The session asks again
    /// when that has been sent.
    [[nodiscard]] virtual std::string next() = 0;

    /// True where next() gives nothing more: the body is complete.
    [[nodiscard]] virtual bool ended() const noexcept = 0;

    /// How many bytes it has in all, where that is known: then the connection goes on after it, and
    /// closes where it ends too early. Nothing: its end is that of the connection.
    [[nodiscard]] virtual std::optional<std::uint64_t> size() const noexcept { return std::nullopt; }

    /// `changed` is called when next() has something, or ended() is true; it must not call back. An
    /// empty function: the session is no longer interested.
    virtual void on_change(std::function<void()> changed) = 0;

    /// The edge is stopping: the body is to end soon.
    virtual void drain() = 0;
};

} // namespace marquee
