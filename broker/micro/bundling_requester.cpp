#include "broker/micro/bundling_requester.hpp"

#include "broker/micro/bundle.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

/// Of a bundle's requests. Replies are larger, and the broker takes messages of 1 MiB.
constexpr std::size_t max_request_bytes = 256 * 1024;

/// Returns whether the reply depends on the subject alone.
bool is_shareable(std::string_view payload, const header_list& headers)
{
    return payload.empty() &&
           std::all_of(headers.begin(), headers.end(),
                       [](const header_list::value_type& header)
                       { return header.first == names::header_request_id || header.first == names::header_timeout; });
}

template <class Pending>
void settle_all(const Pending& pending, result<message> outcome)
{
    for (std::size_t i = 0; i + 1 < pending.size(); ++i)
        pending[i].settle(outcome);
    pending.back().settle(std::move(outcome));
}

/// The replies in a bundle of `count`, or why there are none.
result<std::vector<message>> unbundle(const result<message>& reply, std::size_t count)
{
    if (reply.has_error())
        return reply.error();
    auto items = read_bundle(reply->data);
    if (items.has_error())
        return fail(errc::malformed_reply, items.error().detail);
    if (items->size() != count)
        return fail(errc::malformed_reply, "a bundle of replies has another number than that of the requests");
    return items;
}

/// Every reply tells which instance has sent it.
void name_instance(const message& bundle, std::vector<message>& items)
{
    const auto instance = bundle.headers.get(names::header_instance);
    if (instance.empty())
        return;
    for (auto& each : items)
        each.headers.set(names::header_instance, instance);
}

} // namespace

bundling_requester::bundling_requester(asio::io_context& io, requester& inner)
    : io_(io), inner_(inner), turn_end_(io, [this] { flush(); }), self_(std::make_shared<bundling_requester*>(this))
{
}

bundling_requester::~bundling_requester()
{
    *self_ = nullptr;
    for (const auto& [service, queued] : queues_)
        for (const auto& one : queued.items)
            settle_all(one.pending, fail(errc::stopping));
}

pending_reply bundling_requester::request(const subject& to, std::string_view payload, const header_list& headers,
                                          deadline until)
{
    pending_reply pending(io_.get_executor());
    const auto service = std::string_view(to.str()).substr(0, to.str().find('.'));
    auto found = queues_.find(service);
    if (found == queues_.end())
        found = queues_.emplace(service, queue()).first;
    auto& queued = found->second;
    const bool shareable = is_shareable(payload, headers);
    if (shareable)
    {
        if (const auto equal = queued.shareable.find(to.str()); equal != queued.shareable.end())
        {
            auto& earlier = *equal->second;
            if (until.at() < earlier.until.at())
            {
                earlier.until = until;
                earlier.headers = headers; // its Marquee-Timeout belongs to `until`
            }
            earlier.pending.push_back(pending);
            return pending;
        }
    }
    auto& added = queued.items.emplace_back(item{to, std::string(payload), headers, until, {pending}});
    if (shareable)
        queued.shareable.emplace(added.to.str(), &added);
    turn_end_.request();
    return pending;
}

void bundling_requester::flush()
{
    for (auto& [service, queued] : queues_)
    {
        queued.shareable.clear();
        auto items = std::exchange(queued.items, {});
        if (items.size() == 1)
            send_alone(std::move(items.front()));
        else if (!items.empty())
            send_bundle(service, std::move(items));
    }
}

void bundling_requester::send_alone(item one)
{
    const auto reply = inner_.request(one.to, one.payload, one.headers, one.until);
    reply.on_settled([pending = std::move(one.pending)](result<message> outcome)
                     { settle_all(pending, std::move(outcome)); });
}

void bundling_requester::send_bundle(const std::string& service, item_list all)
{
    const auto to = subject::of({service, "many"});
    while (!all.empty())
    {
        item_list part;
        std::string text;
        auto until = all.front().until;
        while (!all.empty() && part.size() < max_bundle_items && text.size() < max_request_bytes)
        {
            auto& one = part.emplace_back(std::move(all.front()));
            all.pop_front();
            until = until.sooner(one.until);
            append_to_bundle(text, one.to.str(), one.headers, one.payload, names::header_timeout);
        }
        if (part.size() == 1)
            return send_alone(std::move(part.front()));
        const auto reply = call_service(inner_, to, text, {}, until);
        reply.on_settled([self = self_, items = std::move(part)](result<message> outcome) mutable
                         { distribute(*self, std::move(outcome), std::move(items)); });
    }
}

/// Settles each item with its reply; `self` is null after destruction.
void bundling_requester::distribute(bundling_requester* self, result<message> reply, item_list all)
{
    if (self != nullptr && reply.has_error() && reply.error() == errc::no_responders)
    {
        for (auto& one : all)
            self->send_alone(std::move(one));
        return;
    }
    auto items = unbundle(reply, all.size());
    if (items.has_value())
        name_instance(*reply, *items);
    for (std::size_t i = 0; i < all.size(); ++i)
    {
        auto outcome = items.has_error() ? result<message>(items.error()) : interpret_reply(std::move((*items)[i]));
        if (self != nullptr && outcome.has_error() && outcome.error() == errc::payload_too_large)
            self->send_alone(std::move(all[i]));
        else
            settle_all(all[i].pending, std::move(outcome));
    }
}

} // namespace marquee
