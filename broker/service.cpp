#include "broker/service.hpp"

#include "broker/bundle.hpp"
#include "broker/log.hpp"
#include "broker/spawn.hpp"
#include "schemas/event.hpp"
#include "schemas/messages.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <random>
#include <regex>
#include <stdexcept>

namespace marquee
{

void throw_exception_from_error(const service_error& e, const boost::source_location& where)
{
    throw_exception_from_error(e.what, where);
}

namespace
{

namespace json = boost::json;
using clock = std::chrono::steady_clock;

bool is_name(std::string_view name)
{
    return !name.empty() &&
           name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

/// semver.org's own expression.
bool is_semver(const std::string& version)
{
    static const std::regex semver(
        R"(^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-((0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?$)");
    return std::regex_match(version, semver);
}

std::string make_service_id()
{
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::random_device random;
    std::uniform_int_distribution<std::size_t> pick(0, alphabet.size() - 1);
    std::string id;
    for (int i = 0; i < 22; ++i)
        id += alphabet[pick(random)];
    return id;
}

json::object as_json(const std::map<std::string, std::string>& metadata)
{
    json::object out;
    for (const auto& [key, value] : metadata)
        out[key] = value;
    return out;
}

bool matches(std::string_view pattern, std::string_view subject)
{
    while (!pattern.empty() && !subject.empty())
    {
        const auto wanted = pattern.substr(0, pattern.find('.'));
        const auto given = subject.substr(0, subject.find('.'));
        if (given.empty() || (wanted != "*" && wanted != given))
            return false;
        pattern.remove_prefix(std::min(pattern.size(), wanted.size() + 1));
        subject.remove_prefix(std::min(subject.size(), given.size() + 1));
    }
    return pattern.empty() && subject.empty();
}

struct endpoint
{
    endpoint_config config;
    std::shared_ptr<subscription> sub; ///< null while the instance is not in the queue group
    std::size_t in_flight = 0;
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    std::string last_error;
    std::chrono::nanoseconds processing{0};
};

/// A bug, told to nobody but the log.
service_result threw(const endpoint& from, const std::exception& what)
{
    log(log_level::error, "a handler threw", {{"endpoint", from.config.name}, {"error", what.what()}});
    return service_error(fail(errc::service_failed));
}

service_reply error_reply_for(const service_error& why)
{
    const auto title = service_text_of(why.what.code);
    error_reply body;
    body.status = title;
    if (!why.id.empty())
        body.id = why.id;
    if (!why.what.detail.empty())
        body.detail = why.what.detail;
    if (!why.what.field.empty())
        body.field = why.what.field;
    header_list headers;
    headers.set(names::header_service_error, title);
    headers.set(names::header_service_error_code, std::to_string(service_code_of(why.what.code)));
    return {encode(body), std::move(headers)};
}

class service_impl final : public service
{
public:
    service_impl(connection& nats, service_config config, std::vector<endpoint_config> endpoints);

    result<void> begin();

    const std::string& id() const noexcept override { return id_; }
    result<void> set_serving(bool serving) override;
    json::value info() const override;
    json::value stats() const override;
    void reset() override;
    asio::awaitable<void> stop(deadline until) override;

private:
    json::object standard_fields(const char* type) const;
    void add_many();
    result<void> subscribe_control();
    result<void> join();
    void leave();
    void arrived(const std::shared_ptr<endpoint>& to, message msg);
    asio::awaitable<void> serve(std::shared_ptr<endpoint> to, service_request request);
    static std::optional<service_result> answer_at_once(endpoint& to, const service_request& request);
    static asio::awaitable<service_result> handle(endpoint& to, service_request request);
    asio::awaitable<service_result> serve_many(service_request request);
    std::shared_ptr<endpoint> find_endpoint(std::string_view subject) const;
    void answer(endpoint& from, const std::string& reply_to, const service_result& outcome);
    service_reply refuse(endpoint& from, const service_error& why);
    void answer_error(endpoint& from, const std::string& reply_to, const service_error& why);
    result<deadline> deadline_of(const message& msg) const; ///< fails with bad_request

    connection& nats_;
    service_config config_;
    std::string id_ = make_service_id();
    std::string started_;
    std::vector<std::shared_ptr<endpoint>> endpoints_;
    std::vector<std::shared_ptr<subscription>> control_;
    std::size_t in_flight_ = 0;
    asio::steady_timer idle_; ///< cancelled when the last handler ends
    bool serving_;            ///< wanted; endpoints without a subscription follow when the link is up
    bool stopping_ = false;
    std::shared_ptr<void> link_;
};

service_impl::service_impl(connection& nats, service_config config, std::vector<endpoint_config> endpoints)
    : nats_(nats), config_(std::move(config)), started_(rfc3339(std::chrono::system_clock::now())), idle_(nats.context()),
      serving_(config_.serving)
{
    for (auto& e : endpoints)
    {
        auto made = std::make_shared<endpoint>();
        made->config = std::move(e);
        endpoints_.push_back(std::move(made));
    }
}

result<void> service_impl::begin()
{
    if (!is_name(config_.name))
        return fail(errc::bad_request, "a service name is [A-Za-z0-9_-]+", "name");
    if (!is_semver(config_.version))
        return fail(errc::bad_request, "a service version is SemVer", "version");
    for (const auto& e : endpoints_)
        if (!is_name(e->config.name))
            return fail(errc::bad_request, "an endpoint name is [A-Za-z0-9_-]+", "name");
    if (config_.bundles)
        add_many();
    if (auto done = subscribe_control(); done.has_error())
        return done;
    // nats.c sends existing subscriptions again by itself; one that was wanted while the link was down is made now.
    link_ = nats_.on_link_change(
        [this](bool up)
        {
            if (!up || !serving_ || stopping_)
                return;
            if (auto joined = join(); joined.has_error())
                log(log_level::warning, "cannot join the queue group", {{"error", joined.error().detail}});
        });
    return serving_ ? join() : result<void>();
}

/// Requests to several of the other endpoints in one.
void service_impl::add_many()
{
    auto many = std::make_shared<endpoint>();
    many->config.name = "many";
    many->config.subject = config_.name + ".many";
    many->config.metadata = {{"description", "Several requests in one message, and their replies in one"}};
    many->config.data = endpoints_.front()->config.data;
    many->config.handler = [this](service_request request) { return serve_many(std::move(request)); };
    endpoints_.push_back(std::move(many));
}

/// PING, INFO and STATS for everybody, for this name, and for this instance.
result<void> service_impl::subscribe_control()
{
    auto respond = [this](const char* verb, std::function<json::value()> document) -> result<void>
    {
        const std::string all = std::string("$SRV.") + verb;
        const std::string named = all + '.' + config_.name;
        for (const auto& subject : {all, named, named + '.' + id_})
        {
            auto sub = nats_.subscribe(subject, {},
                                       [this, document](message msg)
                                       {
                                           if (!msg.reply.empty())
                                               (void)nats_.publish(msg.reply, json::serialize(document()));
                                       });
            if (sub.has_error())
                return sub.error();
            control_.push_back(std::move(*sub));
        }
        return {};
    };
    auto done = respond("PING", [this] { return json::value(standard_fields("io.nats.micro.v1.ping_response")); });
    if (done.has_value())
        done = respond("INFO", [this] { return info(); });
    if (done.has_value())
        done = respond("STATS", [this] { return stats(); });
    return done;
}

result<void> service_impl::join()
{
    for (auto& e : endpoints_)
    {
        if (e->sub)
            continue;
        auto handler = [this, weak = std::weak_ptr(e)](message msg)
        {
            if (auto to = weak.lock())
                arrived(to, std::move(msg));
        };
        auto sub = nats_.subscribe(e->config.subject, config_.queue_group, handler);
        if (sub.has_error())
            return sub.error();
        e->sub = std::move(*sub);
    }
    return {};
}

/// Requests already on their way are still served.
void service_impl::leave()
{
    std::vector<std::shared_ptr<subscription>> left;
    for (auto& e : endpoints_)
        if (e->sub)
            left.push_back(std::exchange(e->sub, nullptr));
    if (left.empty() || !nats_.connected())
        return;
    spawn("leaving the queue group", nats_.context().get_executor(),
          nats_.drain(std::move(left), deadline::in(std::chrono::seconds(2))));
}

result<void> service_impl::set_serving(bool serving)
{
    serving_ = serving;
    if (serving && !stopping_)
        return join();
    leave();
    return {};
}

void service_impl::arrived(const std::shared_ptr<endpoint>& to, message msg)
{
    ++to->requests;
    const auto until = deadline_of(msg);
    if (until.has_error())
        return answer_error(*to, msg.reply, until.error());
    service_request request{std::move(msg), *until};
    if (const auto outcome = answer_at_once(*to, request))
        return answer(*to, request.msg.reply, *outcome);
    if (to->in_flight >= to->config.max_in_flight)
        return answer_error(*to, request.msg.reply, fail(errc::overloaded, "too many requests in flight"));
    ++to->in_flight;
    ++in_flight_;
    spawn("answering a request", nats_.context().get_executor(), serve(to, std::move(request)));
}

asio::awaitable<void> service_impl::serve(std::shared_ptr<endpoint> to, service_request request)
{
    const auto reply_to = request.msg.reply;
    auto handling = handle(*to, std::move(request));
    auto outcome = co_await std::move(handling);
    answer(*to, reply_to, outcome);
    --to->in_flight;
    if (--in_flight_ == 0)
        idle_.cancel();
}

std::optional<service_result> service_impl::answer_at_once(endpoint& to, const service_request& request)
{
    if (!to.config.at_once)
        return std::nullopt;
    const auto began = clock::now();
    std::optional<service_result> outcome;
    try
    {
        outcome = to.config.at_once(request);
    }
    catch (const std::exception& e)
    {
        outcome = threw(to, e);
    }
    to.processing += clock::now() - began;
    return outcome;
}

/// Runs the handler and counts its time.
asio::awaitable<service_result> service_impl::handle(endpoint& to, service_request request)
{
    const auto began = clock::now();
    service_result outcome = service_error(fail(errc::service_failed));
    try
    {
        auto running = to.config.handler(std::move(request));
        outcome = co_await std::move(running);
    }
    catch (const std::exception& e)
    {
        outcome = threw(to, e);
    }
    to.processing += clock::now() - began;
    co_return outcome;
}

/// One after the other: these are questions, answered from memory or once the same event is counted. They share the bundle's deadline.
asio::awaitable<service_result> service_impl::serve_many(service_request request)
{
    auto items = read_bundle(request.msg.data);
    if (items.has_error())
        co_return service_error(items.error());
    std::string replies;
    replies.reserve(items->size() * 256);
    for (auto& item : *items)
    {
        const auto to = find_endpoint(item.subject);
        if (!to)
        {
            const auto unknown = error_reply_for(fail(errc::bad_request, "no endpoint has this subject"));
            append_to_bundle(replies, {}, unknown.headers, unknown.data);
            continue;
        }
        ++to->requests;
        service_request one{std::move(item), request.until};
        auto outcome = answer_at_once(*to, one);
        if (!outcome)
        {
            auto handling = handle(*to, std::move(one));
            outcome = co_await std::move(handling);
        }
        auto reply = outcome->has_value() ? std::move(**outcome) : refuse(*to, outcome->error());
        if (replies.size() + reply.data.size() > max_bundle_bytes)
            reply = refuse(*to, fail(errc::payload_too_large, "no room in the bundle; ask by itself"));
        append_to_bundle(replies, {}, reply.headers, reply.data);
    }
    co_return service_reply{std::move(replies), {}};
}

/// The endpoint whose pattern, with `*` for a token, matches; not `many` itself.
std::shared_ptr<endpoint> service_impl::find_endpoint(std::string_view subject) const
{
    for (const auto& e : endpoints_)
        if (e->config.name != "many" && matches(e->config.subject, subject))
            return e;
    return nullptr;
}

void service_impl::answer(endpoint& from, const std::string& reply_to, const service_result& outcome)
{
    if (outcome.has_error())
    {
        answer_error(from, reply_to, outcome.error());
        return;
    }
    if (reply_to.empty())
        return;
    auto sent = nats_.publish(reply_to, outcome->data, outcome->headers);
    if (sent.has_error() && sent.error() == errc::payload_too_large)
        answer_error(from, reply_to, fail(errc::service_failed, sent.error().detail));
    else if (sent.has_error()) // the link is gone, and the requester knows
        log(log_level::debug, "a reply was not sent",
            {{"endpoint", from.config.name}, {"error", std::string(name_of(sent.error().code))}});
}

void service_impl::answer_error(endpoint& from, const std::string& reply_to, const service_error& why)
{
    const auto reply = refuse(from, why);
    if (!reply_to.empty())
        (void)nats_.publish(reply_to, reply.data, reply.headers);
}

/// Counts a failure, and makes the reply that tells of it.
service_reply service_impl::refuse(endpoint& from, const service_error& why)
{
    ++from.errors;
    from.last_error = std::to_string(service_code_of(why.what.code)) + ':' + std::string(service_text_of(why.what.code));
    return error_reply_for(why);
}

result<deadline> service_impl::deadline_of(const message& msg) const
{
    if (msg.headers_unreadable) // perhaps a condition was among them
        return fail(errc::bad_request, "the headers cannot be read");
    const auto text = msg.headers.get(names::header_timeout);
    std::uint64_t left = static_cast<std::uint64_t>(config_.max_timeout.count());
    if (!text.empty())
    {
        std::uint64_t asked = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), asked);
        if (ec != std::errc() || end != text.data() + text.size())
            return fail(errc::bad_request, "not a number of milliseconds", std::string(names::header_timeout));
        left = std::min(left, asked);
    }
    return deadline::in(std::chrono::milliseconds(left));
}

json::object service_impl::standard_fields(const char* type) const
{
    return {{"type", type},
            {"name", config_.name},
            {"id", id_},
            {"version", config_.version},
            {"metadata", as_json(config_.metadata)}};
}

json::value service_impl::info() const
{
    auto out = standard_fields("io.nats.micro.v1.info_response");
    out["description"] = config_.description;
    json::array list;
    for (const auto& e : endpoints_)
        list.push_back({{"name", e->config.name},
                        {"subject", e->config.subject},
                        {"queue_group", config_.queue_group},
                        {"metadata", as_json(e->config.metadata)}});
    out["endpoints"] = std::move(list);
    return out;
}

json::value service_impl::stats() const
{
    auto out = standard_fields("io.nats.micro.v1.stats_response");
    out["started"] = started_;
    json::array list;
    for (const auto& e : endpoints_)
    {
        const auto total = e->processing.count();
        json::object one{{"name", e->config.name},
                         {"subject", e->config.subject},
                         {"queue_group", config_.queue_group},
                         {"num_requests", e->requests},
                         {"num_errors", e->errors},
                         {"last_error", e->last_error},
                         {"processing_time", total},
                         {"average_processing_time", e->requests == 0 ? 0 : total / static_cast<std::int64_t>(e->requests)}};
        if (e->config.data)
            one["data"] = e->config.data();
        list.push_back(std::move(one));
    }
    out["endpoints"] = std::move(list);
    return out;
}

void service_impl::reset()
{
    started_ = rfc3339(std::chrono::system_clock::now());
    for (auto& e : endpoints_)
    {
        e->requests = e->errors = 0;
        e->last_error.clear();
        e->processing = {};
    }
}

asio::awaitable<void> service_impl::stop(deadline until)
{
    stopping_ = true;
    auto subs = std::exchange(control_, {});
    for (auto& e : endpoints_)
        if (e->sub)
            subs.push_back(std::exchange(e->sub, nullptr));
    auto draining = nats_.drain(std::move(subs), until);
    co_await std::move(draining);

    while (in_flight_ > 0 && !until.passed())
    {
        idle_.expires_at(until.at());
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await idle_.async_wait(token);
    }
    if (in_flight_ > 0)
        log(log_level::warning, "stopped with requests in flight", {{"in_flight", std::to_string(in_flight_)}});
    auto flushing = nats_.flush(until);
    co_await std::move(flushing);
}

} // namespace

result<std::unique_ptr<service>> service::start(connection& nats, service_config config, std::vector<endpoint_config> endpoints)
{
    auto made = std::make_unique<service_impl>(nats, std::move(config), std::move(endpoints));
    if (auto begun = made->begin(); begun.has_error())
        return begun.error();
    return std::unique_ptr<service>(std::move(made));
}

} // namespace marquee
