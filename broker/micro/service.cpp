#include "broker/micro/service.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log.hpp"
#include "broker/base/wait.hpp"
#include "broker/micro/bundle.hpp"
#include "broker/micro/discovery.hpp"
#include "broker/micro/endpoint.hpp"
#include "broker/micro/rare_line.hpp"
#include "broker/micro/reply_sender.hpp"
#include "broker/micro/service_detail.hpp"
#include "broker/telemetry/span.hpp"
#include "schemas/messages.hpp"
#include "schemas/rfc3339.hpp"

#include <boost/json/serialize.hpp>

#include <utility>

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

constexpr std::string_view bundle_endpoint = "many";

class service_impl final : public service
{
public:
    service_impl(connection& nats, service_config config, std::vector<endpoint_config> endpoints);

    /// Subscribes; see service::start().
    result<void> begin();

    const std::string& id() const noexcept override { return config_.id; }
    result<void> set_serving(bool serving) override;
    json::value info() const override { return info_document(identity(), endpoints_); }
    json::value stats() const override { return stats_document(identity(), endpoints_, *discovery_); }
    void reset() override;
    asio::awaitable<void> stop(deadline until) override;

private:
    [[nodiscard]] service_identity identity() const { return {config_, config_.id, started_}; }
    void add_bundle_endpoint();
    result<void> subscribe_discovery();
    result<void> subscribe_verb(const std::string& verb, const std::function<json::value()>& document);
    result<void> join();
    void leave();

    bool refuses(const endpoint_config& to, message_counts& counts, const message& msg);
    void refuse(const endpoint_ptr& to, const service_request& request, const error& why, span& trace);
    void on_request(const endpoint_ptr& to, message msg);
    asio::awaitable<void> serve(endpoint_ptr to, service_request request, span trace);
    asio::awaitable<service_result> serve_bundle(service_request request);
    std::optional<service_result> try_at_once(endpoint& to, service_request& item) const;

    connection& nats_;
    service_config config_;
    std::string started_;
    std::vector<endpoint_ptr> endpoints_;
    std::shared_ptr<message_counts> discovery_ = std::make_shared<message_counts>();
    reply_sender replies_;
    rare_line refused_line_;
    std::vector<std::shared_ptr<subscription>> discovery_subs_;
    std::size_t in_flight_ = 0;
    asio::steady_timer idle_; ///< cancelled when the last handler ends
    bool serving_;            ///< wanted; endpoints without a subscription are subscribed when the link is up
    bool stopping_ = false;
    std::shared_ptr<void> link_handler_;
};

service_impl::service_impl(connection& nats, service_config config, std::vector<endpoint_config> endpoints)
    : nats_(nats), config_(std::move(config)), started_(rfc3339(std::chrono::system_clock::now())),
      replies_(nats, config_.max_timeout, config_.named_replies ? config_.id : std::string()), idle_(nats.context()),
      serving_(config_.serving)
{
    for (auto& each : endpoints)
        endpoints_.push_back(std::make_shared<endpoint>(std::move(each)));
}

// ---- registration

result<void> service_impl::begin()
{
    if (auto checked = check_names(config_, endpoints_); checked.has_error())
        return checked;
    if (config_.bundles)
        add_bundle_endpoint();
    if (auto done = subscribe_discovery(); done.has_error())
        return done;
    // The connection subscribes again on each link what it has. An endpoint that should have joined
    // while there was no link is missing there.
    link_handler_ = nats_.on_link_change(
        [this](bool up)
        {
            if (!up || !serving_ || stopping_)
                return;
            if (auto joined = join(); joined.has_error())
                log(log_level::warning, "cannot join the queue group", {{"error", joined.error().detail}});
        });
    return serving_ ? join() : result<void>();
}

void service_impl::add_bundle_endpoint()
{
    endpoint_config many;
    many.name = bundle_endpoint;
    many.subject = config_.name + '.' + many.name;
    many.metadata = {{"description", "Several requests in one message, and their replies in one"}};
    many.data = endpoints_.front()->config.data;
    many.handler = [this](service_request request) { return serve_bundle(std::move(request)); };
    endpoints_.push_back(std::make_shared<endpoint>(std::move(many)));
}

result<void> service_impl::subscribe_discovery()
{
    auto done = subscribe_verb("PING", [this] { return ping_document(identity()); });
    if (done.has_value())
        done = subscribe_verb("INFO", [this] { return info(); });
    if (done.has_value())
        done = subscribe_verb("STATS", [this] { return stats(); });
    return done;
}

/// For all services, for this name, and for this instance; without a queue group.
result<void> service_impl::subscribe_verb(const std::string& verb, const std::function<json::value()>& document)
{
    endpoint_config discovery;
    discovery.name = "$SRV";
    const auto all = discovery.name + '.' + verb;
    const auto named = all + '.' + config_.name;
    for (const auto& subject : {all, named, named + '.' + config_.id})
    {
        auto sub = nats_.subscribe(
            subject, {},
            [this, document, discovery](const message& msg)
            {
                if (!refuses(discovery, *discovery_, msg))
                    replies_.send(*discovery_, discovery_, msg.reply, {json::serialize(document()), {}});
            });
        if (sub.has_error())
            return sub.error();
        discovery_subs_.push_back(std::move(*sub));
    }
    return {};
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
                on_request(to, std::move(msg));
        };
        auto sub = nats_.subscribe(e->config.subject, config_.queue_group, handler);
        if (sub.has_error())
            return sub.error();
        e->sub = std::move(*sub);
    }
    return {};
}

/// Requests that were sent to this instance before are still served.
void service_impl::leave()
{
    std::vector<std::shared_ptr<subscription>> left;
    for (auto& e : endpoints_)
        if (e->sub)
            left.push_back(std::exchange(e->sub, nullptr));
    if (left.empty() || !nats_.connected())
        return;
    co_spawn_logged("leaving the queue group", nats_.context().get_executor(),
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

void service_impl::reset()
{
    started_ = rfc3339(std::chrono::system_clock::now());
    *discovery_ = {};
    for (auto& e : endpoints_)
        e->reset_statistics();
}

asio::awaitable<void> service_impl::stop(deadline until)
{
    stopping_ = true;
    auto subs = std::exchange(discovery_subs_, {});
    for (auto& e : endpoints_)
        if (e->sub)
            subs.push_back(std::exchange(e->sub, nullptr));
    auto draining = nats_.drain(std::move(subs), until);
    co_await std::move(draining);

    while (in_flight_ > 0 && !until.passed())
        co_await wait(idle_, until);
    if (in_flight_ > 0)
        log(log_level::warning, "stopped with requests in flight", {{"in_flight", std::to_string(in_flight_)}});
    auto flushing = nats_.flush(until);
    co_await std::move(flushing);
}

// ---- serving

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

void service_impl::on_request(const endpoint_ptr& to, message msg)
{
    ++to->requests;
    if (refuses(to->config, to->messages, msg))
        return;
    service_request request{std::move(msg), deadline::in(config_.max_timeout)};
    auto trace = begin_span(*to, request.msg.headers);
    if (const auto read = to->read_deadline(request, config_.max_timeout); read.has_error())
        return refuse(to, request, read.error(), trace);
    if (const auto outcome = to->answer_at_once(request))
    {
        end_span(trace, *outcome);
        return replies_.answer(to, request.msg.reply, *outcome, request.until);
    }
    if (to->in_flight >= to->config.max_in_flight)
        return refuse(to, request, fail(errc::overloaded, "too many in flight"), trace);
    ++to->in_flight;
    ++in_flight_;
    co_spawn_logged("answering a request", nats_.context().get_executor(),
                    serve(to, std::move(request), std::move(trace)));
}

void service_impl::refuse(const endpoint_ptr& to, const service_request& request, const error& why, span& trace)
{
    end_span(trace, service_error(why));
    replies_.answer_error(to, request.msg.reply, to->not_handled(request.msg, why));
}

asio::awaitable<void> service_impl::serve(endpoint_ptr to, service_request request, span trace)
{
    const auto reply_to = request.msg.reply;
    const auto until = request.until;
    auto handling = to->handle(std::move(request));
    auto outcome = co_await std::move(handling);
    end_span(trace, outcome);
    replies_.answer(to, reply_to, outcome, until);
    --to->in_flight;
    if (--in_flight_ == 0)
        idle_.cancel();
}

/// Items are served in order, one at a time: reads are answered from memory, or all wait for the
/// same event. The bundle's deadline holds for each.
asio::awaitable<service_result> service_impl::serve_bundle(service_request request)
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
        const auto to = find_endpoint(endpoints_, item.subject, bundle_endpoint);
        if (!to)
        {
            const auto unknown = error_reply_for(fail(errc::bad_request, "no endpoint has this subject"));
            append_to_bundle(replies, {}, unknown.headers, unknown.data);
            continue;
        }
        changed |= to->config.change;
        service_request one{std::move(item), request.until, request.deadline_named};
        auto trace = begin_span(*to, one.msg.headers);
        auto outcome = try_at_once(*to, one);
        if (!outcome)
        {
            auto handling = to->handle(std::move(one));
            outcome = co_await std::move(handling);
        }
        end_span(trace, *outcome);
        auto reply = outcome->has_value() ? std::move(**outcome) : to->refuse(outcome->error());
        if (replies.size() + reply.data.size() > max_bundle_bytes)
            reply = to->refuse(fail(errc::payload_too_large, "no room in the bundle; ask by itself"));
        append_to_bundle(replies, {}, reply.headers, reply.data);
    }
    co_return service_reply{std::move(replies), {}, changed};
}

/// Nothing: the item needs its handler.
std::optional<service_result> service_impl::try_at_once(endpoint& to, service_request& item) const
{
    ++to.requests;
    if (const auto read = to.read_deadline(item, config_.max_timeout); read.has_error())
        return to.not_handled(item.msg, read.error());
    return to.answer_at_once(item);
}

} // namespace

result<std::unique_ptr<service>> service::start(connection& nats, service_config config,
                                                std::vector<endpoint_config> endpoints)
{
    auto made = std::make_unique<service_impl>(nats, std::move(config), std::move(endpoints));
    if (auto begun = made->begin(); begun.has_error())
        return begun.error();
    return std::unique_ptr<service>(std::move(made));
}

} // namespace marquee
