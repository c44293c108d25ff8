#include "broker/service.hpp"

#include "broker/bundle.hpp"
#include "broker/log_quota.hpp"
#include "broker/service_detail.hpp"
#include "broker/spawn.hpp"
#include "schemas/event.hpp"
#include "schemas/messages.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
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
using namespace detail;
using clock = std::chrono::steady_clock;

/// One line of a kind a minute.
class rare_line
{
public:
    /// How many were left out since the last one, where a line is due.
    [[nodiscard]] std::optional<std::uint64_t> due()
    {
        const auto now = clock::now();
        if (now >= next_)
        {
            next_ = now + std::chrono::minutes(1);
            return std::exchange(left_out_, 0);
        }
        ++left_out_;
        return std::nullopt;
    }

private:
    clock::time_point next_{};
    std::uint64_t left_out_ = 0;
};

/// Of the messages of one endpoint, or of `$SRV`.
struct message_counts
{
    std::uint64_t refused = 0;    ///< not carried out: see reason_to_refuse()
    std::uint64_t waited = 0;     ///< replies that waited for room in the write buffer
    std::uint64_t overloaded = 0; ///< those that found none in time: the requester was told so
    std::uint64_t lost = 0;       ///< those of which not even that could be told
};

struct endpoint
{
    endpoint_config config;
    std::shared_ptr<subscription> sub; ///< null while the instance is not in the queue group
    std::size_t in_flight = 0;
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    std::string last_error;
    std::chrono::nanoseconds processing{0};
    message_counts messages;
};

using endpoint_ptr = std::shared_ptr<endpoint>;

/// A bug, told to nobody but the log.
service_result threw(const endpoint& from, const std::exception& what)
{
    static limited_log exceptions(log_level::error, "a handler threw");
    exceptions.write({{"endpoint", from.config.name}, {"error", what.what()}});
    return service_error(fail(errc::service_failed));
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
    bool refuses(const endpoint_config& to, message_counts& counts, const message& msg);
    void arrived(const endpoint_ptr& to, message msg);
    asio::awaitable<void> serve(endpoint_ptr to, service_request request);
    static std::optional<service_result> answer_at_once(endpoint& to, const service_request& request);
    static asio::awaitable<service_result> handle(endpoint& to, service_request request);
    asio::awaitable<service_result> serve_many(service_request request);
    endpoint_ptr find_endpoint(std::string_view subject) const;
    void answer(const endpoint_ptr& from, const std::string& reply_to, const service_result& outcome, deadline until);
    void answer_error(const endpoint_ptr& from, const std::string& reply_to, const service_error& why);
    void not_sent(const endpoint_ptr& from, bool changed, const std::string& reply_to, const error& why);
    void send_or_lose(message_counts& counts, const std::shared_ptr<void>& owner, const std::string& to,
                      const service_reply& reply);
    void lost(message_counts& counts, const std::string& to, const error& why);
    service_reply refuse(endpoint& from, const service_error& why);
    result<void> read_deadline(const endpoint& to, service_request& request) const;
    json::value data_of(const endpoint& of) const;

    connection& nats_;
    service_config config_;
    std::string id_ = make_service_id();
    std::string started_;
    std::vector<endpoint_ptr> endpoints_;
    std::shared_ptr<message_counts> discovery_ = std::make_shared<message_counts>();
    rare_line refused_line_;
    rare_line overloaded_line_;
    rare_line lost_line_;
    std::vector<std::shared_ptr<subscription>> control_;
    std::size_t in_flight_ = 0;
    asio::steady_timer idle_; ///< cancelled when the last handler ends
    bool serving_;            ///< wanted; endpoints without a subscription follow when the link is up
    bool stopping_ = false;
    std::shared_ptr<int> alive_ = std::make_shared<int>(); ///< a reply that waits for room outlives this object
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
    if (!is_service_name(config_.name))
        return fail(errc::bad_request, "a service name is [A-Za-z0-9_-]+", "name");
    if (!is_semver(config_.version))
        return fail(errc::bad_request, "a service version is SemVer", "version");
    for (const auto& e : endpoints_)
        if (!is_service_name(e->config.name))
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
    endpoint_config discovery;
    discovery.name = "$SRV";
    auto respond = [this, &discovery](const char* verb, std::function<json::value()> document) -> result<void>
    {
        const std::string all = std::string("$SRV.") + verb;
        const std::string named = all + '.' + config_.name;
        for (const auto& subject : {all, named, named + '.' + id_})
        {
            auto sub =
                nats_.subscribe(subject, {},
                                [this, document, discovery](const message& msg)
                                {
                                    if (!refuses(discovery, *discovery_, msg))
                                        send_or_lose(*discovery_, discovery_, msg.reply, {json::serialize(document()), {}});
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

bool service_impl::refuses(const endpoint_config& to, message_counts& counts, const message& msg)
{
    const auto why = reason_to_refuse(to, msg, nats_.is_inbox(msg.reply));
    if (why.empty())
        return false;
    ++counts.refused;
    if (const auto left_out = refused_line_.due())
        log(log_level::warning, "a message is not carried out as a request",
            {{"endpoint", to.name},
             {"subject", msg.subject},
             {"reply", msg.reply},
             {"why", std::string(why)},
             {"left_out", std::to_string(*left_out)}});
    return true;
}

void service_impl::arrived(const endpoint_ptr& to, message msg)
{
    ++to->requests;
    if (refuses(to->config, to->messages, msg))
        return;
    service_request request{std::move(msg), deadline::in(config_.max_timeout)};
    if (const auto read = read_deadline(*to, request); read.has_error())
        return answer_error(to, request.msg.reply, read.error());
    if (const auto outcome = answer_at_once(*to, request))
        return answer(to, request.msg.reply, *outcome, request.until);
    if (to->in_flight >= to->config.max_in_flight)
        return answer_error(to, request.msg.reply, fail(errc::overloaded, "too many requests in flight"));
    ++to->in_flight;
    ++in_flight_;
    spawn("answering a request", nats_.context().get_executor(), serve(to, std::move(request)));
}

asio::awaitable<void> service_impl::serve(endpoint_ptr to, service_request request)
{
    const auto reply_to = request.msg.reply;
    const auto until = request.until;
    auto handling = handle(*to, std::move(request));
    auto outcome = co_await std::move(handling);
    answer(to, reply_to, outcome, until);
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

/// One after the other: these are questions, answered from memory or once the same event is counted. None has longer than the bundle.
asio::awaitable<service_result> service_impl::serve_many(service_request request)
{
    auto items = read_bundle(request.msg.data);
    if (items.has_value() && items->empty())
        items = fail(errc::bad_request, "an empty bundle");
    if (items.has_error())
        co_return service_error(items.error());
    bool changed = false;
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
        changed |= to->config.change;
        service_request one{std::move(item), request.until, request.deadline_named};
        std::optional<service_result> outcome;
        if (const auto read = read_deadline(*to, one); read.has_error())
            outcome = service_error(read.error());
        else
            outcome = answer_at_once(*to, one);
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
    co_return service_reply{std::move(replies), {}, changed};
}

/// The endpoint whose pattern, with `*` for a token, matches; not `many` itself.
endpoint_ptr service_impl::find_endpoint(std::string_view subject) const
{
    for (const auto& e : endpoints_)
        if (e->config.name != "many" && subject_matches(e->config.subject, subject))
            return e;
    return nullptr;
}

/// A reply that finds no room in the write buffer waits for it, bounded in bytes and by the requester's own deadline.
void service_impl::answer(const endpoint_ptr& from, const std::string& reply_to, const service_result& outcome, deadline until)
{
    if (outcome.has_error())
        return answer_error(from, reply_to, outcome.error());
    if (reply_to.empty())
        return;
    const bool changed = outcome->changed || from->config.change;
    auto sent = nats_.publish(reply_to, outcome->data, outcome->headers);
    if (sent.has_error() && sent.error() == errc::overloaded)
    {
        auto unsent = [this, alive = std::weak_ptr(alive_), from, changed, reply_to](const error& why)
        {
            if (!alive.expired())
                not_sent(from, changed, reply_to, why);
        };
        sent = nats_.publish_later(reply_to, outcome->data, outcome->headers, {}, until, std::move(unsent));
        from->messages.waited += sent.has_value() ? 1 : 0;
    }
    if (sent.has_error())
        not_sent(from, changed, reply_to, sent.error());
}

/// The requester hears of it, as far as there is a link.
void service_impl::not_sent(const endpoint_ptr& from, bool changed, const std::string& reply_to, const error& why)
{
    if (why == errc::payload_too_large)
        return answer_error(from, reply_to, fail(errc::service_failed, why.detail));
    if (!(why == errc::overloaded)) // the link is gone, and the requester knows
        return log(log_level::debug, "a reply was not sent",
                   {{"endpoint", from->config.name}, {"error", std::string(name_of(why.code))}});
    ++from->messages.overloaded;
    if (const auto left_out = overloaded_line_.due())
        log(log_level::warning, "a reply found no room to be sent",
            {{"endpoint", from->config.name}, {"why", why.detail}, {"left_out", std::to_string(*left_out)}});
    // A change has been made by now.
    answer_error(from, reply_to, fail(changed ? errc::outcome_unknown : errc::overloaded, "no room to send the reply"));
}

void service_impl::answer_error(const endpoint_ptr& from, const std::string& reply_to, const service_error& why)
{
    const auto reply = refuse(*from, why);
    if (!reply_to.empty())
        send_or_lose(from->messages, from, reply_to, reply);
}

/// What is small enough to find room ahead of the rest. `owner` keeps `counts`.
void service_impl::send_or_lose(message_counts& counts, const std::shared_ptr<void>& owner, const std::string& to,
                                const service_reply& reply)
{
    auto sent = nats_.publish(to, reply.data, reply.headers);
    if (sent.has_error() && sent.error() == errc::overloaded)
    {
        auto unsent = [this, alive = std::weak_ptr(alive_), owner, &counts, to](const error& why)
        {
            if (!alive.expired())
                lost(counts, to, why);
        };
        sent = nats_.publish_later(to, reply.data, reply.headers, {}, deadline::in(config_.max_timeout), std::move(unsent));
        counts.waited += sent.has_value() ? 1 : 0;
    }
    if (sent.has_error())
        lost(counts, to, sent.error());
}

void service_impl::lost(message_counts& counts, const std::string& to, const error& why)
{
    if (why == errc::disconnected || why == errc::stopping)
        return; // the requester knows
    ++counts.lost;
    if (const auto left_out = lost_line_.due())
        log(log_level::warning, "a reply is lost",
            {{"to", to},
             {"error", std::string(name_of(why.code))},
             {"why", why.detail},
             {"left_out", std::to_string(*left_out)}});
}

/// Counts a failure, and makes the reply that tells of it.
service_reply service_impl::refuse(endpoint& from, const service_error& why)
{
    ++from.errors;
    from.last_error = std::to_string(service_code_of(why.what.code)) + ':' + std::string(service_text_of(why.what.code));
    return error_reply_for(why);
}

/// What `Marquee-Timeout` says, no later than before. Fails with bad_request, or with timeout where a change has no time left: nothing is done then.
result<void> service_impl::read_deadline(const endpoint& to, service_request& request) const
{
    if (request.msg.headers_unreadable) // perhaps a condition was among them
        return fail(errc::bad_request, "the headers cannot be read");
    if (const auto text = request.msg.headers.get(names::header_timeout); !text.empty())
    {
        std::uint64_t asked = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), asked);
        if (ec != std::errc() || end != text.data() + text.size())
            return fail(errc::bad_request, "not a number of milliseconds", std::string(names::header_timeout));
        asked = std::min(asked, static_cast<std::uint64_t>(config_.max_timeout.count()));
        request.until = deadline::in(std::chrono::milliseconds(asked)).sooner(request.until);
        request.deadline_named = true;
    }
    if (to.config.change && request.until.passed())
        return fail(errc::timeout, "no time was left; nothing was done");
    return {};
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

/// The service's own, and what became of messages.
json::value service_impl::data_of(const endpoint& of) const
{
    auto data = of.config.data ? of.config.data() : json::value(json::object());
    if (auto* members = data.if_object())
    {
        (*members)["requests_refused"] = of.messages.refused;
        (*members)["replies_waited"] = of.messages.waited;
        (*members)["replies_overloaded"] = of.messages.overloaded;
        (*members)["replies_lost"] = of.messages.lost;
        (*members)["discovery_refused"] = discovery_->refused;
        (*members)["discovery_lost"] = discovery_->lost;
    }
    return data;
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
        one["data"] = data_of(*e);
        list.push_back(std::move(one));
    }
    out["endpoints"] = std::move(list);
    return out;
}

void service_impl::reset()
{
    started_ = rfc3339(std::chrono::system_clock::now());
    *discovery_ = {};
    for (auto& e : endpoints_)
    {
        e->requests = e->errors = 0;
        e->last_error.clear();
        e->processing = {};
        e->messages = {};
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
