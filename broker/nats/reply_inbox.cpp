#include "broker/nats/reply_inbox.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace marquee::detail
{

reply_inbox::reply_inbox(asio::io_context& io, std::string prefix, publish_function publish,
                         publish_later_function later)
    : io_(io), prefix_(std::move(prefix)), publish_(std::move(publish)), publish_later_(std::move(later)), timer_(io)
{
}

template <class Publish>
pending_reply reply_inbox::send(Publish publish_message, deadline until)
{
    pending_reply pending(io_.get_executor());
    if (until.passed())
    {
        pending.settle(fail(errc::timeout));
        return pending;
    }
    const auto token = next_token_++;
    std::string reply;
    reply.reserve(prefix_.size() + 21);
    ((reply += prefix_) += '.') += std::to_string(token);
    auto sent = publish_message(reply, token);
    if (sent.has_error())
    {
        pending.settle(sent.error());
        return pending;
    }
    waiting_.emplace(token, pending);
    schedule({until.at(), token});
    return pending;
}

pending_reply reply_inbox::request(const subject& to, std::string_view payload, const header_list& headers,
                                   deadline until)
{
    return send([&](const std::string& reply, std::uint64_t token)
                { return publish(to.str(), payload, headers, reply, token, until); },
                until);
}

pending_reply reply_inbox::request_by_header(const subject& to, std::string_view payload, header_list headers,
                                             std::string_view inbox_header, deadline until)
{
    return send(
        [&](const std::string& reply, std::uint64_t token)
        {
            headers.set(inbox_header, reply);
            return publish(to.str(), payload, headers, {}, token, until);
        },
        until);
}

/// Tokens of these begin with a letter, so that replies after the end are not counted as late.
result<std::shared_ptr<void>> reply_inbox::ask_all(const subject& to, reply_handler handler)
{
    const auto token = next_token_++;
    const auto reply = prefix_ + '.' + multi_mark + std::to_string(token);
    if (auto sent = publish_(to.str(), {}, {}, reply); sent.has_error())
        return sent.error();
    std::erase_if(multi_, [](const auto& each) { return each.second.expired(); });
    auto shared_handler = std::make_shared<reply_handler>(std::move(handler));
    multi_.emplace(token, shared_handler);
    return std::shared_ptr<void>(shared_handler);
}

void reply_inbox::deliver_multi(std::string_view digits, message arrived)
{
    std::uint64_t token = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), token);
    const auto found = multi_.find(token);
    if (found == multi_.end())
        return;
    if (const auto shared_handler = found->second.lock())
        (*shared_handler)(interpret_reply(std::move(arrived)));
}

pending_reply reply_inbox::ping(deadline until)
{
    return send([&](const std::string& reply, std::uint64_t token) { return publish(reply, {}, {}, {}, token, until); },
                until);
}

result<void> reply_inbox::publish(const std::string& to, std::string_view payload, const header_list& headers,
                                  const std::string& reply, std::uint64_t token, deadline until)
{
    auto sent = publish_(to, payload, headers, reply);
    if (sent.has_value() || !(sent.error() == errc::overloaded) || !publish_later_)
        return sent;
    return publish_later_(to, payload, headers, reply, until,
                          [this, token, alive = std::weak_ptr(alive_)](const error& why)
                          {
                              if (!alive.expired())
                                  not_sent(token, why);
                          });
}

/// The request waited for room in vain. Nothing was done, even if the link is lost: `overloaded`
/// says so, `disconnected` would not.
void reply_inbox::not_sent(std::uint64_t token, const error& why)
{
    const auto found = waiting_.find(token);
    if (found == waiting_.end())
        return;
    auto pending = std::move(found->second);
    waiting_.erase(found);
    pending.settle(fail(why == errc::payload_too_large ? why.code : errc::overloaded, why.detail));
}

void reply_inbox::deliver(std::string_view at, message arrived)
{
    std::uint64_t token = 0;
    const std::string_view digits = at.substr(std::min(prefix_.size() + 1, at.size()));
    if (digits.starts_with(multi_mark))
        return deliver_multi(digits.substr(1), std::move(arrived));
    std::from_chars(digits.data(), digits.data() + digits.size(), token);
    auto found = waiting_.find(token);
    if (found == waiting_.end())
    {
        ++late_;
        return;
    }
    auto pending = std::move(found->second);
    waiting_.erase(found);
    pending.settle(interpret_reply(std::move(arrived)));
}

void reply_inbox::fail_all(errc why)
{
    auto failed = std::exchange(waiting_, {});
    deadlines_.clear();
    for (auto& [token, pending] : failed)
        pending.settle(fail(why));
    for (auto& [token, weak] : std::exchange(multi_, {}))
        if (const auto shared_handler = weak.lock())
            (*shared_handler)(fail(why));
}

void reply_inbox::schedule(due item)
{
    // Most requests are settled long before their deadline. Remove their entries before the heap is
    // twice as large as it needs to be.
    if (deadlines_.size() > 2 * waiting_.size() + 1024)
    {
        std::erase_if(deadlines_, [this](const due& d) { return !waiting_.contains(d.token); });
        std::make_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    }
    deadlines_.push_back(item);
    std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    if (item.at < armed_for_)
        arm();
}

void reply_inbox::arm()
{
    armed_for_ = deadlines_.front().at;
    timer_.expires_at(armed_for_);
    timer_.async_wait(
        [this, alive = std::weak_ptr(alive_)](boost::system::error_code ec)
        {
            if (!ec && !alive.expired())
                expire();
        });
}

void reply_inbox::expire()
{
    const auto now = deadline::clock::now();
    armed_for_ = deadline::clock::time_point::max();
    while (!deadlines_.empty())
    {
        const auto first = deadlines_.front();
        auto found = waiting_.find(first.token);
        if (found != waiting_.end() && first.at > now)
            break;
        std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
        deadlines_.pop_back();
        if (found == waiting_.end())
            continue;
        auto pending = std::move(found->second);
        waiting_.erase(found);
        pending.settle(fail(errc::timeout));
    }
    if (!deadlines_.empty())
        arm();
}

} // namespace marquee::detail
