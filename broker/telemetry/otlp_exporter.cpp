#include "broker/telemetry/otlp_exporter.hpp"

#include "broker/base/log.hpp"
#include "broker/base/log_quota.hpp"
#include "broker/telemetry/otlp_json.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <functional>
#include <iterator>
#include <new>
#include <utility>

namespace marquee
{

namespace
{

constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{10000};

bool is_success(int status) noexcept { return status >= 200 && status < 300; }

/// What the OTLP specification lets an exporter send again, or there was no answer.
bool is_temporary(const detail::post_outcome& how) noexcept
{
    const auto status = how.status;
    return (status == 0 && !how.senseless) || status == 429 || status == 502 || status == 503 || status == 504;
}

result<export_headers> read_headers(const watched_file& file)
{
    if (file.path().empty())
        return export_headers();
    const auto text = file.read(secrecy::secret);
    if (text.has_error())
        return fail(errc::bad_request, "--otlp-headers-file: " + text.error().detail, "otlp-headers-file");
    auto headers = parse_export_headers(*text);
    if (headers.has_error())
        return fail(errc::bad_request, "--otlp-headers-file: " + file.path() + ": " + headers.error().detail,
                    "otlp-headers-file");
    return headers;
}

/// Signals are for the threads that wait for them.
std::thread start_without_signals(std::function<void()> run)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread started(std::move(run));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

} // namespace

result<std::unique_ptr<otlp_exporter>> otlp_exporter::start(exporter_settings settings)
{
    auto headers = read_headers(watched_file(settings.headers_file));
    if (headers.has_error())
        return headers.error();
    return std::unique_ptr<otlp_exporter>(new otlp_exporter(std::move(settings), std::move(*headers)));
}

otlp_exporter::otlp_exporter(exporter_settings settings, export_headers headers)
    : settings_(std::move(settings)), headers_file_(settings_.headers_file), headers_(std::move(headers)),
      http_(settings_.url)
{
    waiting_.reserve(batch);
    (void)headers_file_.changed();
    thread_ = start_without_signals([this] { run(); });
}

otlp_exporter::~otlp_exporter()
{
    if (process_sink() == this)
        set_process_sink(nullptr);
    {
        std::unique_lock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        changed_.wait_for(lock, stop_limit, [this] { return done_; });
    }
    give_up_ = true;
    http_.wake();
    thread_.join();
    if (const auto lost = dropped_.load(); lost > 0)
        log(log_level::info, "spans were dropped", {{"spans", std::to_string(lost)}});
}

void otlp_exporter::ended(std::unique_ptr<span_record> one) noexcept
{
    std::size_t size = 0;
    try
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() < max_waiting && !stopping_)
        {
            waiting_.push_back(std::move(one));
            size = waiting_.size();
        }
    }
    catch (const std::bad_alloc&) // the span is dropped
    {
        size = 0;
    }
    if (size == 0)
        ++dropped_;
    else if (size == 1 || size == batch)
        changed_.notify_all();
}

void otlp_exporter::run()
{
    for (auto spans = next_batch(); !spans.empty(); spans = next_batch())
    {
        try
        {
            deliver(spans);
        }
        catch (const std::exception& e)
        {
            dropped_ += spans.size();
            static limited_log failures(log_level::error, "spans cannot be exported");
            failures.write({{"error", e.what()}});
        }
    }
    const std::lock_guard lock(mutex_);
    dropped_ += std::exchange(waiting_, {}).size();
    done_ = true;
    changed_.notify_all();
}

/// Waits for spans, and a second for more of them. None: it is to end.
otlp_exporter::span_list otlp_exporter::next_batch()
{
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    changed_.wait_for(lock, period, [this] { return stopping_ || waiting_.size() >= batch; });
    span_list taken;
    if (give_up_)
        return taken;
    const auto count = std::min(waiting_.size(), batch);
    taken.reserve(count); // nothing is lost half-way
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    std::move(waiting_.begin(), end, std::back_inserter(taken));
    waiting_.erase(waiting_.begin(), end);
    return taken;
}

void otlp_exporter::deliver(const span_list& spans)
{
    static limited_log dropped(log_level::warning, "spans are dropped: the collector does not take them",
                               {2, std::chrono::seconds(60)});
    read_headers_again();
    const auto body = detail::encode_spans(spans, settings_.resource);
    auto pause = first_pause;
    for (int attempt = 1;; ++attempt, pause = std::min(2 * pause, longest_pause))
    {
        const auto outcome = http_.send(body, headers_, post_limit, give_up_);
        if (is_success(outcome.status))
        {
            const auto rejected = detail::rejected_spans(outcome.body, spans.size());
            exported_ += spans.size() - rejected;
            dropped_ += rejected;
            return;
        }
        if (attempt < attempts && is_temporary(outcome) && try_again(outcome, pause))
            continue;
        dropped_ += spans.size();
        return dropped.write({{"spans", std::to_string(spans.size())},
                              {"status", std::to_string(outcome.status)},
                              {"error", outcome.failure}});
    }
}

/// Waits before another attempt; false where it stops.
bool otlp_exporter::try_again(const detail::post_outcome& after, std::chrono::milliseconds pause)
{
    if (after.retry_after)
        pause = std::clamp<std::chrono::milliseconds>(*after.retry_after, pause, longest_pause);
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, pause, [this] { return stopping_; });
}

void otlp_exporter::read_headers_again()
{
    if (headers_file_.path().empty() || !headers_file_.changed())
        return;
    auto headers = read_headers(headers_file_);
    if (headers.has_value())
        headers_ = std::move(*headers);
    else
        log(log_level::warning, "the previous headers stay in use", {{"reason", headers.error().detail}});
}

} // namespace marquee
