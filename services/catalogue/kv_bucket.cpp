#include "services/catalogue/kv_bucket.hpp"

#include "broker/base/fault_injection.hpp"
#include "broker/base/wait.hpp"
#include "broker/jetstream/publish.hpp"
#include "broker/jetstream/stream_lookup.hpp"
#include "broker/jetstream/streams.hpp"
#include "broker/program/startup_retry.hpp"
#include "schemas/subjects.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>

namespace marquee
{
namespace
{

constexpr auto bucket_patience = std::chrono::seconds(30);
constexpr auto first_attempt = std::chrono::seconds(2); ///< each may take twice as long as the one before
constexpr auto pause_between_attempts = std::chrono::milliseconds(200);

/// Whether the bucket's first messages are seeds; else its first user wants none.
asio::awaitable<result<bool>> holds_seeds(requester& nats, std::string bucket, std::vector<catalogue_seed> seeds,
                                          std::uint64_t written, deadline until)
{
    const auto stream = "KV_" + bucket;
    for (std::uint64_t i = 0; i < written; ++i)
    {
        const auto expected = subjects::kv_entry(bucket, seeds[i].id).str();
        const auto found = co_await find_message(nats, stream, i + 1, until);
        if (found.has_error())
            co_return found.error();
        if (!*found || (*found)->subject != expected)
            co_return false;
    }
    co_return true;
}

/// Writes a seed only into a bucket that never held more than the seeds before it (`written`
/// messages), and only as the first value of its key: nothing deleted since comes back. Not by
/// `Nats-Expected-Last-Sequence`: after refusals of that kind a server of a cluster that is killed
/// stores its last message once more (nats-server 2.10).
asio::awaitable<result<void>> seed(requester& nats, std::string bucket, std::vector<catalogue_seed> seeds,
                                   std::uint64_t written, deadline until)
{
    if (written > 0 && written < seeds.size() && !fault_injected("seeds_always"))
    {
        const auto seeded = co_await holds_seeds(nats, bucket, seeds, written, until);
        if (seeded.has_error())
            co_return seeded.error();
        if (!*seeded)
            co_return result<void>();
    }
    for (std::size_t i = fault_injected("seeds_always") ? 0 : written; i < seeds.size(); ++i)
    {
        header_list headers;
        if (!fault_injected("seeds_always"))
            headers.set("Nats-Expected-Last-Subject-Sequence", "0");
        const auto to = subjects::kv_entry(bucket, seeds[i].id);
        const auto value = seeds[i].value;
        const std::string no_id;
        const auto stored = co_await publish_stored(nats, to, value, no_id, until, headers);
        if (stored.has_error() && !(stored.error() == errc::revision_mismatch))
            co_return stored.error();
    }
    co_return result<void>();
}

asio::awaitable<result<void>> make_and_seed(requester& nats, std::string bucket, stream_config config,
                                            std::vector<catalogue_seed> seeds, deadline until)
{
    const auto state = co_await ensure_stream(nats, std::move(config), until);
    if (state.has_error())
        co_return state.error();
    const auto written = state->last_sequence;
    co_return co_await seed(nats, std::move(bucket), std::move(seeds), written, until);
}

} // namespace

/// While a cluster elects a leader, its servers refuse some requests and do not answer others. An
/// attempt may be repeated.
asio::awaitable<result<void>> ensure_bucket(connection& nats, std::string bucket, stream_config config,
                                            std::vector<catalogue_seed> seeds, deadline until)
{
    const auto patience = until.sooner(deadline::in(bucket_patience));
    startup_retry retry(nats, "bucket " + bucket);
    asio::steady_timer pause(nats.context());
    for (auto time = first_attempt;; time = std::min(2 * time, bucket_patience))
    {
        const auto attempt_until = patience.sooner(deadline::in(time));
        const auto done = co_await make_and_seed(nats.requests(), bucket, config, seeds, attempt_until);
        if (done.has_value())
            co_return done;
        const auto why = retry.classify(done.error());
        if (why == errc::bad_request || patience.remaining() < pause_between_attempts)
            co_return why;
        pause.expires_after(pause_between_attempts);
        co_await wait(pause);
    }
}

} // namespace marquee
