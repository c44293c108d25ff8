// A sink that keeps spans.
#pragma once

#include "broker/telemetry/span.hpp"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace marquee
{

/// The sink of the process while it exists.
class span_list final : public span_sink
{
public:
    span_list() { set_process_sink(this); }
    ~span_list() override { set_process_sink(nullptr); }
    span_list(const span_list&) = delete;
    span_list& operator=(const span_list&) = delete;

    void ended(std::unique_ptr<span_record> one) noexcept override
    {
        const std::lock_guard lock(mutex_);
        all_.push_back(std::move(one));
    }
    [[nodiscard]] std::uint64_t dropped() const noexcept override { return 0; }
    [[nodiscard]] std::uint64_t exported() const noexcept override { return 0; }

    /// Those that have ended since the last call, in that order.
    [[nodiscard]] std::vector<std::unique_ptr<span_record>> take()
    {
        const std::lock_guard lock(mutex_);
        return std::exchange(all_, {});
    }

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<span_record>> all_;
};

} // namespace marquee
