#include "broker/micro/reply_sender.hpp"

#include "broker/base/log.hpp"
#include "schemas/subjects.hpp"

#include <utility>

namespace marquee::detail
{

void reply_sender::answer(const endpoint_ptr& from, const std::string& reply_to, const service_result& outcome,
                          deadline until)
{
    if (outcome.has_error())
        return answer_error(from, reply_to, outcome.error());
    if (reply_to.empty())
        return;
    const bool changed = outcome->changed || from->config.change;
    header_list with_name;
    const auto& headers = named(outcome->headers, with_name);
    auto sent = nats_.publish(reply_to, outcome->data, headers);
    if (sent.has_error() && sent.error() == errc::overloaded)
    {
        auto unsent = [this, alive = std::weak_ptr(alive_), from, changed, reply_to](const error& why)
        {
            if (!alive.expired())
                not_sent(from, changed, reply_to, why);
        };
        sent = nats_.publish_later(reply_to, outcome->data, headers, {}, until, std::move(unsent));
        from->messages.waited += sent.has_value() ? 1 : 0;
    }
    if (sent.has_error())
        not_sent(from, changed, reply_to, sent.error());
}

/// `headers`, or a copy of them in `with_name` that names the instance.
const header_list& reply_sender::named(const header_list& headers, header_list& with_name) const
{
    if (instance_.empty())
        return headers;
    with_name = headers;
    with_name.set(names::header_instance, instance_);
    return with_name;
}

void reply_sender::not_sent(const endpoint_ptr& from, bool changed, const std::string& reply_to, const error& why)
{
    if (why == errc::payload_too_large)
        return answer_error(from, reply_to, fail(errc::service_failed, why.detail));
    if (!(why == errc::overloaded)) // the link is lost: the requester gets `disconnected` or a timeout
        return log(log_level::debug, "a reply was not sent",
                   {{"endpoint", from->config.name}, {"error", std::string(name_of(why.code))}});
    ++from->messages.overloaded;
    if (const auto left_out = overloaded_line_.due())
        log(log_level::warning, "a reply found no room to be sent",
            {{"endpoint", from->config.name}, {"why", why.detail}, {"left_out", std::to_string(*left_out)}});
    // `overloaded` promises that nothing was changed.
    answer_error(from, reply_to, fail(changed ? errc::outcome_unknown : errc::overloaded, "no room to send the reply"));
}

void reply_sender::answer_error(const endpoint_ptr& from, const std::string& reply_to, const service_error& why)
{
    auto reply = from->refuse(why);
    if (!instance_.empty())
        reply.headers.set(names::header_instance, instance_);
    if (!reply_to.empty())
        send(from->messages, from, reply_to, reply);
}

void reply_sender::send(message_counts& counts, const std::shared_ptr<void>& owner, const std::string& to,
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
        sent = nats_.publish_later(to, reply.data, reply.headers, {}, deadline::in(max_timeout_), std::move(unsent));
        counts.waited += sent.has_value() ? 1 : 0;
    }
    if (sent.has_error())
        lost(counts, to, sent.error());
}

void reply_sender::lost(message_counts& counts, const std::string& to, const error& why)
{
    if (why == errc::disconnected || why == errc::stopping)
        return; // the requester notices
    ++counts.lost;
    if (const auto left_out = lost_line_.due())
        log(log_level::warning, "a reply is lost",
            {{"to", to},
             {"error", std::string(name_of(why.code))},
             {"why", why.detail},
             {"left_out", std::to_string(*left_out)}});
}

} // namespace marquee::detail
