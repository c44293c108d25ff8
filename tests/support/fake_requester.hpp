// A scripted requester: one reply per request, by subject; records the requests.
#pragma once

#include "broker/nats/requester.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace marquee::test
{

class fake_requester : public requester
{
public:
    struct seen_request
    {
        std::string subject;
        std::string payload;
        header_list headers;
        deadline until;
    };

    explicit fake_requester(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// The next request on `subject` gets this; several queue up. Without a script the answer is
    /// no_responders.
    void script(const std::string& subject, result<message> outcome)
    {
        scripts_[subject].push_back(std::move(outcome));
    }

    void script_json(const std::string& subject, std::string json, header_list headers = {})
    {
        script(subject, message{"", "", std::move(json), std::move(headers)});
    }

    void forget_scripts() { scripts_.clear(); }

    /// The next request on `subject` is kept open; settle it through `open`.
    void script_silence(const std::string& subject) { silent_[subject]++; }

    pending_reply request(const subject& to, std::string_view payload, const header_list& headers,
                          deadline until) override
    {
        seen.push_back({to.str(), std::string(payload), headers, until});
        return answer(to.str());
    }

    /// Scripted under the subject followed by ` counts`.
    pending_reply request_by_header(const subject& to, std::string_view payload, header_list headers,
                                    std::string_view inbox_header, deadline until) override
    {
        headers.set(inbox_header, "_INBOX.fake");
        seen.push_back({to.str(), std::string(payload), std::move(headers), until});
        return answer(to.str() + " counts");
    }

    std::vector<seen_request> seen;
    std::vector<pending_reply> open;

private:
    pending_reply answer(const std::string& subject)
    {
        pending_reply pending(executor_);
        if (auto& n = silent_[subject]; n > 0)
        {
            --n;
            open.push_back(pending);
            return pending;
        }
        auto& queue = scripts_[subject];
        if (queue.empty())
        {
            pending.settle(fail(errc::no_responders));
            return pending;
        }
        pending.settle(std::move(queue.front()));
        queue.pop_front();
        return pending;
    }

    boost::asio::any_io_executor executor_;
    std::map<std::string, std::deque<result<message>>> scripts_;
    std::map<std::string, int> silent_;
};

} // namespace marquee::test
