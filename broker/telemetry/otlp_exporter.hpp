// Sends spans to a collector by OTLP/HTTP, on a thread of its own.
#pragma once

#include "broker/base/watched_file.hpp"
#include "broker/telemetry/exporter_settings.hpp"
#include "broker/telemetry/http_post.hpp"
#include "broker/telemetry/span.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace marquee
{

/// Sends what has ended in batches: 512 spans, or those of a second. At most 8,192 wait; those
/// beyond are dropped and counted. A batch is tried again after 429, 502, 503, 504 and a failed
/// connection, up to five times within about half a minute, with a pause that doubles or that the
/// collector asks for (Retry-After, at most 10 s); then, and after any other answer than 2xx, it is
/// dropped and counted. Nothing waits for the collector but the thread of this object.
class otlp_exporter final : public span_sink
{
public:
    static constexpr std::size_t max_waiting = 8192;
    static constexpr std::size_t batch = 512;
    static constexpr std::chrono::milliseconds period{1000};
    static constexpr std::chrono::milliseconds post_limit{5000};
    static constexpr std::chrono::milliseconds stop_limit{1000};
    static constexpr int attempts = 5;

    /// Reads the file of headers, and starts the thread; the thread reads the file again when it
    /// changes. Fails with bad_request.
    [[nodiscard]] static result<std::unique_ptr<otlp_exporter>> start(exporter_settings settings);

    /// Is no longer the sink of the process. Sends what waits within a second; what is left is
    /// dropped.
    ~otlp_exporter() override;

    void ended(std::unique_ptr<span_record> one) noexcept override;
    [[nodiscard]] std::uint64_t dropped() const noexcept override { return dropped_; }
    [[nodiscard]] std::uint64_t exported() const noexcept override { return exported_; }

private:
    using span_list = std::vector<std::unique_ptr<span_record>>;

    otlp_exporter(exporter_settings settings, export_headers headers);

    void run();
    [[nodiscard]] span_list next_batch();
    void deliver(const span_list& spans);
    [[nodiscard]] bool try_again(const detail::post_outcome& after, std::chrono::milliseconds pause);
    void read_headers_again();

    const exporter_settings settings_;
    watched_file headers_file_; ///< of the thread
    export_headers headers_;    ///< of the thread
    detail::http_post http_;
    std::mutex mutex_;
    std::condition_variable changed_;
    span_list waiting_;                ///< with the mutex
    bool stopping_ = false;            ///< with the mutex: no batch is tried again
    bool done_ = false;                ///< with the mutex: the thread has nothing left to send
    std::atomic<bool> give_up_{false}; ///< the time to stop is over
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> exported_{0};
    std::thread thread_;
};

} // namespace marquee
