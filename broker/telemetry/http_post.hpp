// A POST over HTTP that can be given up at any time.
#pragma once

#include "broker/telemetry/exporter_settings.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace marquee::detail
{

/// How a POST ended.
struct post_outcome
{
    int status = 0;                                  ///< 0: there was no answer
    std::string body;                                ///< of the answer, at most max_answer_bytes
    std::optional<std::chrono::seconds> retry_after; ///< where it is a number of seconds
    bool senseless = false; ///< there was one, and it was no sensible HTTP: another attempt would not help
    std::string failure;    ///< why there was no answer
};

/// Sends bodies as application/json to one URL, and keeps the connection. Follows no redirects and
/// uses no proxy. send() is called on one thread, wake() on any.
class http_post
{
public:
    static constexpr std::size_t max_answer_bytes = 64 << 10;

    explicit http_post(std::string url);
    ~http_post();
    http_post(const http_post&) = delete;
    http_post& operator=(const http_post&) = delete;

    /// Blocks for at most `limit`, and until `give_up` is set: then wake() ends it at once. An
    /// answer larger than max_answer_bytes is none.
    [[nodiscard]] post_outcome send(const std::string& body, const export_headers& headers,
                                    std::chrono::milliseconds limit, const std::atomic<bool>& give_up);

    void wake() noexcept;

private:
    struct handles;
    std::string url_;
    std::unique_ptr<handles> handles_;
};

} // namespace marquee::detail
