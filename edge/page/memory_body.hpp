// A body of bytes that are in memory anyway, sent in pieces.
#pragma once

#include "edge/http/body_stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// Sends `bytes`, which stay valid, and keeps `held` meanwhile.
class memory_body final : public body_stream
{
public:
    memory_body(std::string_view bytes, std::shared_ptr<void> held)
        : rest_(bytes), size_(bytes.size()), held_(std::move(held))
    {
    }

    [[nodiscard]] std::string next() override;
    [[nodiscard]] bool ended() const noexcept override { return rest_.empty(); }
    [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override { return size_; }
    void on_change(std::function<void()>) override {}
    void drain() override {}

private:
    std::string_view rest_;
    std::uint64_t size_;
    std::shared_ptr<void> held_;
};

} // namespace marquee
