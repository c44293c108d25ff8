#include "broker/program/startup_retry.hpp"

#include "broker/base/log.hpp"

#include <utility>

namespace marquee
{

startup_retry::startup_retry(connection& nats, std::string what) : nats_(nats), what_(std::move(what)) {}

error startup_retry::classify(const error& why)
{
    if (why == errc::bad_request)
        return why;
    if (why == errc::no_responders && nats_.lacks_jetstream())
        return fail(
            errc::bad_request,
            what_ +
                " needs JetStream, which is not enabled on the broker (nats-server --jetstream, or a jetstream block "
                "in its configuration)");
    auto reason = std::string(name_of(why.code)) + (why.detail.empty() ? "" : ": " + why.detail);
    if (reason != logged_)
        log(log_level::warning, "waiting for JetStream", {{"for", what_}, {"why", reason}});
    logged_ = std::move(reason);
    return why;
}

} // namespace marquee
