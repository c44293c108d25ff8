// Sends the replies of a service, and reports those that could not be sent.
#pragma once

#include "broker/micro/endpoint.hpp"
#include "broker/micro/rare_line.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace marquee::detail
{

/// A reply that finds no room in the connection's write buffer waits for it, bounded in bytes and
/// by the requester's deadline. If it is not sent after all, the requester gets a small error reply
/// instead, and only if that fails too the reply is lost: counted and logged. On the io thread.
class reply_sender
{
public:
    /// `max_timeout` bounds the wait of error replies. Replies of endpoints carry `instance` as
    /// Marquee-Instance, unless it is empty. `nats` must outlive this object.
    reply_sender(connection& nats, std::chrono::milliseconds max_timeout, std::string instance)
        : nats_(nats), max_timeout_(max_timeout), instance_(std::move(instance))
    {
    }

    /// Sends the outcome of a request. Sends nothing if `reply_to` is empty.
    void answer(const endpoint_ptr& from, const std::string& reply_to, const service_result& outcome, deadline until);

    /// Counts a failure of `from` and sends an error reply.
    void answer_error(const endpoint_ptr& from, const std::string& reply_to, const service_error& why);

    /// Sends a reply that has no smaller one to replace it. `owner` keeps `counts` alive.
    void send(message_counts& counts, const std::shared_ptr<void>& owner, const std::string& to,
              const service_reply& reply);

private:
    [[nodiscard]] const header_list& named(const header_list& headers, header_list& with_name) const;
    void not_sent(const endpoint_ptr& from, bool changed, const std::string& reply_to, const error& why);
    void lost(message_counts& counts, const std::string& to, const error& why);

    connection& nats_;
    const std::chrono::milliseconds max_timeout_;
    const std::string instance_;
    rare_line overloaded_line_;
    rare_line lost_line_;
    std::shared_ptr<int> alive_ = std::make_shared<int>(); ///< a queued reply may outlive this object
};

} // namespace marquee::detail
