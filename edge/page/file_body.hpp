// A body that is read from a file while it is sent.
#pragma once

#include "edge/http/body_stream.hpp"
#include "edge/page/folder.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace marquee
{

/// Sends a part of a file, in pieces that are all of it in memory. What the kernel has not cached
/// is asked for and waited for by a timer (RWF_NOWAIT of preadv2(2)), so that a slow disk keeps no
/// other request waiting, for half a second; after that it is read at once. Where the file has
/// become shorter, the body ends too early: the session then closes the connection, as a client
/// needs to see.
class file_body final : public body_stream
{
public:
    /// `size` bytes from `first`, of a file that had them. Keeps `held` meanwhile. Runs on `io`.
    file_body(const boost::asio::any_io_executor& io, folder_file file, std::uint64_t first, std::uint64_t size,
              std::shared_ptr<void> held);

    [[nodiscard]] std::string next() override;
    [[nodiscard]] bool ended() const noexcept override { return left_ == 0 || failed_; }
    [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override { return size_; }
    void on_change(std::function<void()> changed) override;
    void drain() override {}

private:
    void look_later();

    folder_file file_;
    std::uint64_t at_;
    std::uint64_t left_;
    std::uint64_t size_;
    std::shared_ptr<void> held_;
    boost::asio::steady_timer later_;
    std::function<void()> changed_;
    int looks_ = 0; ///< for the piece that is next
    bool failed_ = false;
};

} // namespace marquee
