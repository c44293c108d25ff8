// Request/reply over one wildcard inbox: a token per request, one timer for all deadlines.
#pragma once

#include "broker/nats/connection.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace marquee::detail
{

/// Implements requests on top of publishing. Everything on the io thread.
class reply_inbox final : public requester, public multi_requester
{
public:
    /// As connection::publish().
    using publish_function = std::function<result<void>(const std::string& to, std::string_view payload,
                                                        const header_list& headers, const std::string& reply)>;

    /// As connection::publish_later().
    using publish_later_function =
        std::function<result<void>(const std::string& to, std::string_view payload, const header_list& headers,
                                   const std::string& reply, deadline until, unsent_handler unsent)>;

    /// Replies arrive at `PREFIX.TOKEN`; `prefix` ends without a dot. Without `later` a request
    /// that finds no room fails at once.
    reply_inbox(asio::io_context& io, std::string prefix, publish_function publish, publish_later_function later = {});

    pending_reply request(const subject& to, std::string_view payload, const header_list& headers,
                          deadline until) override;

    pending_reply request_by_header(const subject& to, std::string_view payload, header_list headers,
                                    std::string_view inbox_header, deadline until) override;

    result<std::shared_ptr<void>> ask_all(const subject& to, reply_handler handler) override;

    /// Sends a message through the server to this inbox itself.
    pending_reply ping(deadline until);

    /// The subject to subscribe to.
    [[nodiscard]] std::string pattern() const { return prefix_ + ".*"; }
    [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }

    /// Takes a message of the inbox with subject `at`, and settles its request as interpret_reply()
    /// says.
    void deliver(std::string_view at, message arrived);

    /// Fails every request in flight, and calls the handlers of ask_all() with the failure.
    void fail_all(errc why);

    [[nodiscard]] std::size_t in_flight() const noexcept { return waiting_.size(); }
    [[nodiscard]] std::uint64_t late_replies() const noexcept { return late_; }

private:
    static constexpr char multi_mark = 's';

    struct due
    {
        deadline::clock::time_point at;
        std::uint64_t token;
        friend bool operator>(const due& a, const due& b) { return a.at > b.at; }
    };

    /// Makes an inbox and calls `publish_message(inbox, token)`, which publishes a message with it.
    /// Each request passes here: a template, so that it allocates nothing.
    template <class Publish>
    pending_reply send(Publish publish_message, deadline until);
    result<void> publish(const std::string& to, std::string_view payload, const header_list& headers,
                         const std::string& reply, std::uint64_t token, deadline until);
    void not_sent(std::uint64_t token, const error& why);
    void deliver_multi(std::string_view digits, message arrived);
    void schedule(due item);
    void arm();
    void expire();

    asio::io_context& io_;
    std::string prefix_;
    publish_function publish_;
    publish_later_function publish_later_;
    boost::unordered_flat_map<std::uint64_t, pending_reply> waiting_;
    std::unordered_map<std::uint64_t, std::weak_ptr<reply_handler>> multi_; ///< cleaned up in ask_all()
    std::vector<due> deadlines_; ///< a min-heap; entries of settled requests stay until due or cleaned up
    asio::steady_timer timer_;
    deadline::clock::time_point armed_for_ = deadline::clock::time_point::max();
    std::uint64_t next_token_ = 1;
    std::uint64_t late_ = 0;
    std::shared_ptr<int> alive_ = std::make_shared<int>(); ///< a queued handler may outlive this object
};

} // namespace marquee::detail
