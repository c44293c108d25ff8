// Requests of one loop turn to one service leave as one message (broker/bundle.hpp).
#pragma once

#include "broker/requester.hpp"

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

/// For questions that change nothing. What is asked in one turn of the loop is gathered per service (the subject's first token): one question goes
/// out as it is, several as one request to `<service>.many`. Equal questions of a turn are asked once. The earliest deadline of a bundle, or of
/// equal questions, holds for all of it. Where nobody answers `many`, each question is asked by itself. Everything on the io thread; `inner` must outlive this object.
class bundling_requester final : public requester
{
public:
    bundling_requester(asio::io_context& io, requester& inner);
    ~bundling_requester() override;

    [[nodiscard]] pending_reply request(const subject& to, std::string_view payload, const header_list& headers,
                                        deadline until) override;

private:
    struct question
    {
        subject to;
        std::string payload;
        header_list headers;
        deadline until;
        boost::container::small_vector<pending_reply, 1> askers;
    };
    using questions = std::deque<question>; // they stay where they are

    struct queue
    {
        questions waiting;
        boost::unordered_flat_map<std::string_view, question*>
            plain; ///< by subject, those without payload and headers of their own
    };

    void flush();
    void send(const std::string& service, questions all);
    void send_alone(question one);
    void hand_out(pending_reply pending, questions all);
    static asio::awaitable<void> distribute(std::shared_ptr<bundling_requester*> self, pending_reply pending, questions all);

    asio::io_context& io_;
    requester& inner_;
    std::map<std::string, queue, std::less<>> queues_;
    bool flushing_ = false;
    std::shared_ptr<bundling_requester*> self_; ///< points to null once this object is gone
};

} // namespace marquee
