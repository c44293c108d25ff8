// The instance of reporting that answers for the events of this edge.
#pragma once

#include <string>
#include <string_view>

namespace marquee
{

/// With several instances of reporting, one publishes the counts of a message of events: the one
/// that this edge names. It is the instance that replied last; after two messages without counts in
/// a row it is no longer named until it replies again. Used on one io thread.
class counting_instance
{
public:
    /// The service id of the instance to name; empty: none. Valid until the next call.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// A reply came from the instance `id`; an empty `id` says nothing.
    void replied(std::string_view id)
    {
        if (id.empty() || id.size() > max_id_bytes)
            return;
        missed_ = 0;
        if (name_ != id)
            name_ = id;
    }

    /// The instance `id` was named and published no counts.
    void missed(std::string_view id) noexcept
    {
        if (id == name_ && ++missed_ >= max_missed)
            name_.clear();
    }

private:
    static constexpr std::size_t max_id_bytes = 64;
    static constexpr int max_missed = 2;

    std::string name_;
    int missed_ = 0;
};

} // namespace marquee
