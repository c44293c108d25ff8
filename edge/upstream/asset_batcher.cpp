#include "edge/upstream/asset_batcher.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log.hpp"
#include "broker/base/log_quota.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "schemas/subjects.hpp"
#include "schemas/ulid.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace marquee
{

namespace
{

using namespace std::chrono_literals;

constexpr auto lookup_tick = 10ms; ///< precision of deadlines
constexpr auto alone_time = 1s;    ///< without `gets` after it was not answered

error no_asset() { return fail(errc::asset_not_found, "The catalogue has no asset of this id."); }
error no_url() { return fail(errc::not_playable, "The asset has no URL."); }

/// Whether a lookup alone would fail the same way. Every other failure may be that of `gets`.
bool is_outage(errc code)
{
    return code == errc::timeout || code == errc::disconnected || code == errc::stopping || code == errc::overloaded ||
           code == errc::unavailable;
}

limited_log& senseless_records_log()
{
    static limited_log log(log_level::warning, "the records of many assets made no sense");
    return log;
}

} // namespace

asio::awaitable<result<playable_text>> look_up_alone(service_client& services, const asset_id& asset,
                                                     std::string_view request_id, deadline until)
{
    // Sends both before it waits for one.
    const hedged_request::call of{request_id, until};
    hedged_request metadata(services, upstream_service::metadata, subjects::metadata_get(asset), of);
    if (auto refused = metadata.refused())
        co_return *refused;
    hedged_request url(services, upstream_service::cdnurl, subjects::cdnurl_get(asset), of);
    if (auto refused = url.refused())
        co_return *refused;

    const auto about = co_await metadata.receive();
    if (about.has_error() && about.error() == errc::asset_not_found)
        co_return no_asset();
    if (about.has_error())
        co_return about.error();
    const auto where = co_await url.receive();
    if (where.has_error() && where.error() == errc::asset_not_found)
        co_return no_url();
    if (where.has_error())
        co_return where.error();

    playable_text text;
    if (auto described = read_metadata(about->data, asset.text(), text); described.has_error())
        co_return described.error();
    if (auto located = read_url(where->data, asset.text(), text); located.has_error())
        co_return located.error();
    co_return text;
}

/// The assets of one request, until the last of them has ended.
struct asset_batcher::batch
{
    std::string id; ///< Marquee-Request-Id of both requests: a ULID, or that of the only play
    std::string tokens;
    std::size_t count = 0;
    suspended_calls<waiting_asset> assets;    ///< those that still wait, in the order of their lines
    deadline until{clock::time_point::min()}; ///< the latest of theirs
};

asset_batcher::asset_batcher(asio::io_context& io, service_client& services, const gets_gate& gate)
    : io_(io), services_(services), gate_(gate), turn_end_(io, [this] { flush(); }),
      ticker_(io, lookup_tick, [this] { return tick(); }), self_(std::make_shared<asset_batcher*>(this))
{
}

asset_batcher::~asset_batcher()
{
    *self_ = nullptr;
    drop_calls(gathered_);
    for (const auto& each : in_flight_)
        drop_calls(each->assets);
}

asio::awaitable<result<playable_text>> asset_batcher::find(const asset_id& asset, std::string_view request_id,
                                                           deadline until)
{
    if (gate_.open() && clock::now() >= alone_until_)
    {
        waiting_asset mine(asset, request_id, until);
        auto waiting = wait_in<found>(mine, [this](waiting_asset& one) { gather(one); });
        auto ended = co_await std::move(waiting);
        if (ended.has_error())
            co_return ended.error();
        if (*ended)
            co_return std::move(**ended);
    }
    auto alone = look_up_alone(services_, asset, request_id, until);
    co_return co_await std::move(alone);
}

void asset_batcher::gather(waiting_asset& one)
{
    gathered_.push_back(one);
    turn_end_.request();
}

void asset_batcher::flush()
{
    while (!gathered_.empty())
    {
        const auto made = make_batch();
        in_flight_.push_back(made);
        co_spawn_logged("looking up assets", io_.get_executor(), look_up(self_, made));
    }
    ticker_.start();
}

/// Moves assets from those that are gathered into a request, as many as it holds.
asset_batcher::batch_ptr asset_batcher::make_batch()
{
    auto made = std::make_shared<batch>();
    const auto first = gathered_.begin();
    const bool is_only_one = std::next(first) == gathered_.end();
    made->id = is_only_one ? std::string(first->request_id) : make_ulid(std::chrono::system_clock::now());
    while (!gathered_.empty() && made->count < max_assets)
    {
        auto& one = gathered_.front();
        const auto token = one.asset.token();
        if (made->tokens.size() + token.size() + 1 > max_gets_request_bytes)
            break;
        one.unlink();
        one.line = made->count++;
        (made->tokens += token) += '\n';
        made->until = deadline(std::max(made->until.at(), one.until.at()));
        made->assets.push_back(one);
        if (is_logged(log_level::debug))
            log(log_level::debug, "an asset is looked up",
                {{"request", std::string(one.request_id)}, {"asset", one.asset.text()}, {"message", made->id}});
    }
    return made;
}

asio::awaitable<void> asset_batcher::look_up(std::shared_ptr<asset_batcher*> self, batch_ptr one)
{
    // Sends both before it waits for one.
    auto& services = (*self)->services_;
    const hedged_request::call of{one->id, one->until};
    hedged_request metadata(services, upstream_service::metadata, subjects::metadata_gets(), of, sending::alone,
                            one->tokens);
    if (const auto refused = metadata.refused())
        co_return end_all(*one, *refused);
    hedged_request url(services, upstream_service::cdnurl, subjects::cdnurl_gets(), of, sending::alone, one->tokens);
    if (const auto refused = url.refused())
        co_return end_all(*one, *refused);
    const auto about = co_await metadata.receive();
    if (*self == nullptr)
        co_return;
    (*self)->take(*one, about, no_asset(), read_metadata);
    if (one->assets.empty())
        co_return;
    const auto where = co_await url.receive();
    if (*self == nullptr)
        co_return;
    (*self)->take(*one, where, no_url(), read_url);
    while (!one->assets.empty()) // both have a record
    {
        auto& first = one->assets.front();
        first.end(found(std::move(first.text)));
    }
}

/// Reads the reply of one catalogue, and ends the assets that it decides about.
void asset_batcher::take(batch& of, const result<message>& reply, const error& none, record_reader* read)
{
    const auto lines = read_lines(reply, of.count);
    if (lines.has_error())
    {
        const auto& why = lines.error();
        return is_outage(why.code) ? end_all(of, why) : end_all(of, found());
    }
    suspended_calls<waiting_asset> going_on;
    while (!of.assets.empty()) // the end of one may end others
    {
        auto& first = of.assets.front();
        const auto& line = (*lines)[first.line];
        if (line.what == record_line::kind::absent)
            first.end(none);
        else if (line.what != record_line::kind::found || read(line.record, first.asset.text(), first.text).has_error())
            first.end(found());
        else
        {
            first.unlink();
            going_on.push_back(first);
        }
    }
    of.assets.swap(going_on);
}

/// Where the reply is none, lookups go alone for a while.
result<std::vector<record_line>> asset_batcher::read_lines(const result<message>& reply, std::size_t count)
{
    auto lines =
        reply.has_error() ? result<std::vector<record_line>>(reply.error()) : read_record_lines(reply->data, count);
    if (lines.has_value())
        return lines;
    const auto& why = lines.error();
    if (!is_outage(why.code) || why == errc::timeout)
        alone_until_ = clock::now() + alone_time;
    if (!is_outage(why.code) && why != errc::no_responders)
        senseless_records_log().write({{"code", std::string(name_of(why.code))}, {"reason", why.detail}});
    return lines;
}

void asset_batcher::end_all(batch& of, const result<found>& how)
{
    while (!of.assets.empty())
        of.assets.front().end(how);
}

/// Returns whether there are assets to wait for.
bool asset_batcher::tick()
{
    const auto now = clock::now();
    const auto batches = in_flight_; // the end of one may look up others
    for (const auto& each : batches)
        end_late_calls(each->assets, now, fail(errc::timeout));
    std::erase_if(in_flight_, [](const batch_ptr& each) { return each->assets.empty(); });
    return !in_flight_.empty();
}

} // namespace marquee
