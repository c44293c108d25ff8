// How many streams there may be: of live views, or of files.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

namespace marquee
{

/// Limits the streams of one kind of the whole process. Thread-safe.
class stream_limit
{
public:
    explicit stream_limit(std::size_t most) : most_(most) {}

    /// Sets another limit. Streams that are there stay, and count.
    void change(std::size_t most) noexcept { most_.store(most, std::memory_order_relaxed); }

    /// What a stream holds as long as it lives; null where there are too many. The limit outlives
    /// it.
    [[nodiscard]] std::shared_ptr<void> enter()
    {
        if (count_.fetch_add(1, std::memory_order_relaxed) < most_.load(std::memory_order_relaxed))
            return {this, [](void* limit) { static_cast<stream_limit*>(limit)->leave(); }};
        leave();
        return nullptr;
    }

private:
    void leave() noexcept { count_.fetch_sub(1, std::memory_order_relaxed); }

    std::atomic<std::size_t> most_;
    std::atomic<std::size_t> count_{0};
};

} // namespace marquee
