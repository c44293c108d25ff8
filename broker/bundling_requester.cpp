#include "broker/bundling_requester.hpp"

#include "broker/bundle.hpp"
#include "broker/spawn.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace marquee
{

namespace
{

constexpr std::size_t most_bytes = 256 * 1024; ///< of a bundle's requests: replies are larger, and the broker takes 1 MiB

/// Nothing in it that would make the answer another one.
bool is_plain(std::string_view payload, const header_list& headers)
{
    return payload.empty() &&
           std::all_of(headers.begin(), headers.end(),
                       [](const header_list::value_type& header)
                       { return header.first == names::header_request_id || header.first == names::header_timeout; });
}

template <class Askers>
void settle_all(const Askers& askers, result<message> outcome)
{
    for (std::size_t i = 0; i + 1 < askers.size(); ++i)
        askers[i].settle(outcome);
    askers.back().settle(std::move(outcome));
}

} // namespace

bundling_requester::bundling_requester(asio::io_context& io, requester& inner)
    : io_(io), inner_(inner), self_(std::make_shared<bundling_requester*>(this))
{
}

bundling_requester::~bundling_requester()
{
    *self_ = nullptr;
    for (const auto& [service, queued] : queues_)
        for (const auto& one : queued.waiting)
            settle_all(one.askers, fail(errc::stopping));
}

pending_reply bundling_requester::request(const subject& to, std::string_view payload, const header_list& headers, deadline until)
{
    pending_reply pending(io_.get_executor());
    const auto service = std::string_view(to.str()).substr(0, to.str().find('.'));
    auto found = queues_.find(service);
    if (found == queues_.end())
        found = queues_.emplace(service, queue()).first;
    auto& queued = found->second;
    const bool plain = is_plain(payload, headers);
    if (plain)
    {
        if (const auto equal = queued.plain.find(to.str()); equal != queued.plain.end())
        {
            auto& asked = *equal->second;
            if (until.at() < asked.until.at())
            {
                asked.until = until;
                asked.headers = headers; // with what is left until then
            }
            asked.askers.push_back(pending);
            return pending;
        }
    }
    auto& asked = queued.waiting.emplace_back(question{to, std::string(payload), headers, until, {pending}});
    if (plain)
        queued.plain.emplace(asked.to.str(), &asked);
    if (!std::exchange(flushing_, true))
        asio::post(io_,
                   [self = self_]
                   {
                       if (*self != nullptr)
                           (*self)->flush();
                   });
    return pending;
}

void bundling_requester::flush()
{
    flushing_ = false;
    for (auto& [service, queued] : queues_)
    {
        queued.plain.clear();
        auto waiting = std::exchange(queued.waiting, {});
        if (waiting.size() == 1)
            send_alone(std::move(waiting.front()));
        else if (!waiting.empty())
            send(service, std::move(waiting));
    }
}

void bundling_requester::send_alone(question one)
{
    auto pending = inner_.request(one.to, one.payload, one.headers, one.until);
    questions only;
    only.push_back(std::move(one));
    hand_out(std::move(pending), std::move(only));
}

void bundling_requester::send(const std::string& service, questions all)
{
    const auto to = subject::of({service, "many"});
    while (!all.empty())
    {
        questions part;
        std::string text;
        auto until = all.front().until;
        while (!all.empty() && part.size() < max_bundle_items && text.size() < most_bytes)
        {
            auto& one = part.emplace_back(std::move(all.front()));
            all.pop_front();
            until = until.sooner(one.until);
            append_to_bundle(text, one.to.str(), one.headers, one.payload, names::header_timeout);
        }
        auto pending = call_service(inner_, to, text, {}, until);
        hand_out(std::move(pending), std::move(part));
    }
}

void bundling_requester::hand_out(pending_reply pending, questions all)
{
    spawn("handing out the replies of a bundle", io_.get_executor(), distribute(self_, std::move(pending), std::move(all)));
}

/// Hands the reply, or one each of a bundle's, to who asked.
asio::awaitable<void> bundling_requester::distribute(std::shared_ptr<bundling_requester*> self, pending_reply pending,
                                                     questions all)
{
    auto reply = co_await pending.receive();
    if (all.size() == 1)
    {
        settle_all(all.front().askers, std::move(reply));
        co_return;
    }
    if (reply.has_error() && reply.error() == errc::no_responders && *self != nullptr)
    {
        for (auto& one : all)
            (*self)->send_alone(std::move(one));
        co_return;
    }
    result<std::vector<message>> items = reply.has_error() ? reply.error() : read_bundle(reply->data);
    if (items.has_value() && items->size() != all.size())
        items = fail(errc::malformed_reply, "a bundle of replies has another number than that of the requests");
    else if (items.has_error() && reply.has_value())
        items = fail(errc::malformed_reply, items.error().detail);
    for (std::size_t i = 0; i < all.size(); ++i)
    {
        auto outcome = items.has_error() ? result<message>(items.error()) : interpret_reply(std::move((*items)[i]));
        if (outcome.has_error() && outcome.error() == errc::payload_too_large && *self != nullptr)
            (*self)->send_alone(std::move(all[i]));
        else
            settle_all(all[i].askers, std::move(outcome));
    }
}

} // namespace marquee
