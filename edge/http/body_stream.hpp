// A body that is made while it is sent, such as server-sent events.
#pragma once

#include <functional>
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

    /// `changed` is called when next() has something, or ended() is true; it must not call back. An
    /// empty function: the session is no longer interested.
    virtual void on_change(std::function<void()> changed) = 0;

    /// The edge is stopping: the body is to end soon.
    virtual void drain() = 0;
};

} // namespace marquee
