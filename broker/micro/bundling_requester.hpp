// Requests to one service that are made in the same turn of the loop leave as one message.
#pragma once

#include "broker/base/turn_end.hpp"
#include "broker/nats/requester.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace marquee
{

/// A requester for reads (broker/micro/bundle.hpp has the wire format). Requests made in one turn
/// of the io_context are grouped by service, which is the subject's first token: a single request
/// is sent unchanged, several as one request to `SERVICE.many`. Requests of a turn with the same
/// subject that have no payload and no headers of their own are sent once. The earliest deadline
/// holds for the whole bundle, and for requests sent once. If nobody answers `SERVICE.many`, each
/// request is sent alone.
///
/// Everything on the io thread. `inner` must outlive this object; `io` too. Requests that have not
/// been sent at destruction fail with `stopping`.
class bundling_requester final : public requester
{
public:
    bundling_requester(asio::io_context& io, requester& inner);
    ~bundling_requester() override;

    [[nodiscard]] pending_reply request(const subject& to, std::string_view payload, const header_list& headers,
                                        deadline until) override;

    /// Never bundled.
    [[nodiscard]] pending_reply request_by_header(const subject& to, std::string_view payload, header_list headers,
                                                  std::string_view inbox_header, deadline until) override
    {
        return inner_.request_by_header(to, payload, std::move(headers), inbox_header, until);
    }

private:
    struct item
    {
        subject to;
        std::string payload;
        header_list headers;
        deadline until;
        boost::container::small_vector<pending_reply, 1> pending; ///< several: equal requests
    };
    using item_list = std::deque<item>; // its elements do not move

    struct queue
    {
        item_list items;
        boost::unordered_flat_map<std::string_view, item*> shareable; ///< by subject
    };

    void flush();
    void send_alone(item one);
    void send_bundle(const std::string& service, item_list all);
    static void distribute(bundling_requester* self, result<message> reply, item_list all);

    asio::io_context& io_;
    requester& inner_;
    std::map<std::string, queue, std::less<>> queues_;
    turn_end turn_end_;                         ///< sends what is queued
    std::shared_ptr<bundling_requester*> self_; ///< points to null after destruction
};

} // namespace marquee
