#include "broker/micro/endpoint.hpp"

#include "broker/base/log_quota.hpp"
#include "broker/micro/request_line.hpp"
#include "broker/micro/service_detail.hpp"
#include "schemas/messages.hpp"
#include "schemas/parse_number.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace marquee::detail
{

namespace
{

using clock = std::chrono::steady_clock;

/// An exception is a bug: its text goes to the log only.
service_result failure_of(const endpoint& from, const std::exception& thrown)
{
    static limited_log exceptions(log_level::error, "a handler threw");
    exceptions.write({{"endpoint", from.config.name}, {"error", thrown.what()}});
    return service_error(fail(errc::service_failed));
}

} // namespace

result<void> endpoint::read_deadline(service_request& request, std::chrono::milliseconds max_timeout) const
{
    if (request.msg.headers_unreadable) // a condition may have been among them
        return fail(errc::bad_request, "the headers cannot be read");
    if (const auto text = request.msg.headers.get(names::header_timeout); !text.empty())
    {
        const auto asked = parse_number<std::uint64_t>(text);
        if (!asked)
            return fail(errc::bad_request, "not a number of milliseconds", std::string(names::header_timeout));
        const auto granted = std::min(*asked, static_cast<std::uint64_t>(max_timeout.count()));
        request.until = deadline::in(std::chrono::milliseconds(granted)).sooner(request.until);
        request.deadline_named = true;
    }
    if (config.change && request.until.passed())
        return fail(errc::timeout, "no time was left; nothing was done");
    return {};
}

std::optional<service_result> endpoint::answer_at_once(const service_request& request)
{
    if (!config.at_once)
        return std::nullopt;
    const auto began = clock::now();
    std::optional<service_result> outcome;
    try
    {
        outcome = config.at_once(request);
    }
    catch (const std::exception& e)
    {
        outcome = failure_of(*this, e);
    }
    const auto took = clock::now() - began;
    processing += took;
    if (outcome)
    {
        durations.add(took);
        log_request(config, request.msg.headers, *outcome, took);
    }
    return outcome;
}

asio::awaitable<service_result> endpoint::handle(service_request request)
{
    const auto began = clock::now();
    const auto logged = logged_request::of(request.msg.headers);
    service_result outcome = service_error(fail(errc::service_failed));
    try
    {
        auto running = config.handler(std::move(request));
        outcome = co_await std::move(running);
    }
    catch (const std::exception& e)
    {
        outcome = failure_of(*this, e);
    }
    const auto took = clock::now() - began;
    processing += took;
    log_request(config, logged, outcome, took);
    durations.add(took);
    co_return outcome;
}

service_error endpoint::not_handled(const message& msg, const error& why) const
{
    log_request(config, msg.headers, service_error(why), {});
    return why;
}

service_reply endpoint::refuse(const service_error& why)
{
    ++errors;
    last_error = std::to_string(service_code_of(why.what.code)) + ':' + std::string(service_text_of(why.what.code));
    return error_reply_for(why);
}

void endpoint::reset_statistics()
{
    requests = errors = 0;
    last_error.clear();
    processing = {};
    durations = {};
    messages = {};
}

result<void> check_names(const service_config& config, const std::vector<endpoint_ptr>& endpoints)
{
    if (!is_service_name(config.name))
        return fail(errc::bad_request, "a service name is [A-Za-z0-9_-]+", "name");
    if (!is_semver(config.version))
        return fail(errc::bad_request, "a service version is SemVer", "version");
    for (const auto& e : endpoints)
        if (!is_service_name(e->config.name))
            return fail(errc::bad_request, "an endpoint name is [A-Za-z0-9_-]+", "name");
    return {};
}

endpoint_ptr find_endpoint(const std::vector<endpoint_ptr>& among, std::string_view subject, std::string_view not_this)
{
    for (const auto& e : among)
        if (e->config.name != not_this && subject_matches(e->config.subject, subject))
            return e;
    return nullptr;
}

span begin_span(const endpoint& of, const header_list& headers)
{
    if (headers.empty() || process_sink() == nullptr)
        return {};
    const auto parent =
        parse_traceparent(headers.get(names::header_traceparent), headers.get(names::header_tracestate));
    if (!parent)
        return {};
    const auto& subject = of.config.subject;
    auto made = span::child(&*parent, "process " + subject, span_kind::server);
    if (!made)
        return made;
    describe_message(made, "process", "process", subject);
    if (const auto id = headers.get(names::header_request_id); !id.empty())
        made.set("marquee.request.id", id);
    return made;
}

void end_span(span& one, const service_result& outcome)
{
    if (!one)
        return;
    if (outcome.has_error())
    {
        const auto code = outcome.error().what.code;
        one.fail(name_of(code), service_code_of(code) >= 500);
    }
    one.end();
}

} // namespace marquee::detail
