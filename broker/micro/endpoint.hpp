// One endpoint of a running service: its handlers and its statistics.
#pragma once

#include "broker/micro/duration_histogram.hpp"
#include "broker/micro/service.hpp"
#include "broker/telemetry/span.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::detail
{

/// What became of the messages of one endpoint, or of `$SRV`.
struct message_counts
{
    std::uint64_t refused = 0;    ///< not carried out: see reason_to_refuse()
    std::uint64_t waited = 0;     ///< replies that waited for room in the write buffer
    std::uint64_t overloaded = 0; ///< replies without room in time; the requester was told `overloaded`
    std::uint64_t lost = 0;       ///< replies of which the requester was told nothing
};

/// On the service's io thread.
struct endpoint
{
    explicit endpoint(endpoint_config c) : config(std::move(c)) {}

    /// Sets the request's deadline from `Marquee-Timeout`, no later than it is. Fails with
    /// bad_request, or with timeout where a change has no time left: nothing must be done then.
    [[nodiscard]] result<void> read_deadline(service_request& request, std::chrono::milliseconds max_timeout) const;

    /// Asks `config.at_once`. Nothing: the request is handle()'s.
    [[nodiscard]] std::optional<service_result> answer_at_once(const service_request& request);

    /// Runs `config.handler`.
    [[nodiscard]] asio::awaitable<service_result> handle(service_request request);

    /// Logs a request that comes to no handler, and returns why.
    [[nodiscard]] service_error not_handled(const message& msg, const error& why) const;

    /// Counts a failure, and returns the error reply.
    [[nodiscard]] service_reply refuse(const service_error& why);

    void reset_statistics();

    endpoint_config config;
    std::shared_ptr<subscription> sub; ///< null while the instance is not in the queue group
    std::size_t in_flight = 0;
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    std::string last_error;
    std::chrono::nanoseconds processing{0};
    duration_histogram durations; ///< of the requests that a handler answered
    message_counts messages;
};

using endpoint_ptr = std::shared_ptr<endpoint>;

/// Fails with bad_request where a name or the version cannot be one.
[[nodiscard]] result<void> check_names(const service_config& config, const std::vector<endpoint_ptr>& endpoints);

/// The first endpoint whose pattern matches, but for the one named `not_this`; null: there is none.
[[nodiscard]] endpoint_ptr find_endpoint(const std::vector<endpoint_ptr>& among, std::string_view subject,
                                         std::string_view not_this);

/// The span of a request: a child of the context in its headers. Not recorded where that is not
/// sampled or malformed, and while spans are not exported. A reader of the spans trusts whoever may
/// send requests.
[[nodiscard]] span begin_span(const endpoint& of, const header_list& headers);

/// Ends it with the outcome of its request.
void end_span(span& one, const service_result& outcome);

} // namespace marquee::detail
