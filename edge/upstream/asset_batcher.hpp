// Lookups of one loop turn are one message to each catalogue.
#pragma once

#include "broker/base/turn_end.hpp"
#include "broker/telemetry/span.hpp"
#include "edge/upstream/gets_gate.hpp"
#include "edge/upstream/service_client.hpp"
#include "edge/upstream/suspended_call.hpp"
#include "edge/upstream/ticker.hpp"
#include "schemas/ids.hpp"
#include "schemas/play_text.hpp"
#include "schemas/record_lines.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

class hedged_request;

/// Looks up what a play says about its asset with two requests of its own. Fails with
/// asset_not_found; with not_playable where the asset has no URL; as hedged_request does.
[[nodiscard]] asio::awaitable<result<playable_text>> look_up_alone(service_client& services, const asset_id& asset,
                                                                   std::string_view request_id, deadline until,
                                                                   const trace_context* trace = nullptr);

/// Looks up assets for plays. Those of a loop turn share a request to `metadata.gets` and one to
/// `cdnurl.gets`; each is a hedged_request with the retries, circuit and health of one request. An
/// asset whose line does not answer is looked up alone. So are all while the gate is closed, and
/// for a second after `gets` was not answered.
///
/// Used on one io thread. Destroyed before the io_context, which then destroys the coroutines that
/// wait in find().
class asset_batcher
{
public:
    using clock = deadline::clock;

    static constexpr std::size_t max_assets = 256;

    /// All references outlive it.
    asset_batcher(asio::io_context& io, service_client& services, const gets_gate& gate);
    ~asset_batcher();
    asset_batcher(const asset_batcher&) = delete;
    asset_batcher& operator=(const asset_batcher&) = delete;

    /// Fails as look_up_alone() does, with timeout at `until`. The arguments outlive the call. A
    /// message for several traced plays belongs to the trace of the first, with links to the
    /// others.
    [[nodiscard]] asio::awaitable<result<playable_text>> find(const asset_id& asset, std::string_view request_id,
                                                              deadline until, const trace_context* trace = nullptr);

private:
    /// What a batch knows of an asset; nothing: look it up alone.
    using found = std::optional<playable_text>;

    struct waiting_asset : suspended_call<found>
    {
        waiting_asset(const asset_id& a, std::string_view id, deadline d, const trace_context* t)
            : suspended_call(d), asset(a), request_id(id), trace(t)
        {
        }

        const asset_id& asset;
        std::string_view request_id;
        const trace_context* trace; ///< null: not traced
        std::size_t line = 0;       ///< in the request, from 0
        playable_text text;         ///< as far as it is found
    };

    struct batch;
    using batch_ptr = std::shared_ptr<batch>;
    using record_reader = result<void>(std::string_view record, std::string_view id, playable_text& into);

    void gather(waiting_asset& one);
    void flush();
    [[nodiscard]] batch_ptr make_batch();
    static void describe(hedged_request& request, const batch& of);
    static asio::awaitable<void> look_up(std::shared_ptr<asset_batcher*> self, batch_ptr one);
    void take(batch& of, const result<message>& reply, const error& none, record_reader* read);
    [[nodiscard]] result<std::vector<record_line>> read_lines(const result<message>& reply, std::size_t count);
    static void end_all(batch& of, const result<found>& how);
    [[nodiscard]] bool tick();

    asio::io_context& io_;
    service_client& services_;
    const gets_gate& gate_;
    suspended_calls<waiting_asset> gathered_;
    turn_end turn_end_; ///< sends what is gathered
    std::vector<batch_ptr> in_flight_;
    ticker ticker_;
    clock::time_point alone_until_{};
    std::shared_ptr<asset_batcher*> self_; ///< points to null after destruction
};

} // namespace marquee
