// A scripted multi_requester: several replies per subject; records the requests.
#pragma once

#include "broker/nats/requester.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace marquee::test
{

class fake_multi_requester : public multi_requester
{
public:
    explicit fake_multi_requester(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// Later requests on `subject` get these replies, in this order.
    void script(const std::string& subject, std::vector<std::string> replies)
    {
        scripts_[subject].clear();
        for (auto& each : replies)
            scripts_[subject].emplace_back(message{"", "", std::move(each), {}});
    }
    void script(const std::string& subject, errc failure) { scripts_[subject] = {fail(failure)}; }

    /// Unless errc{}: sending fails with this.
    errc broken{};

    /// Without a script the answer is no_responders.
    result<std::shared_ptr<void>> ask_all(const subject& to, reply_handler handler) override
    {
        seen.push_back(to.str());
        if (broken != errc{})
            return fail(broken);
        auto handle = std::make_shared<reply_handler>(std::move(handler));
        const auto found = scripts_.find(to.str());
        const auto replies =
            found == scripts_.end() ? std::vector<result<message>>{fail(errc::no_responders)} : found->second;
        for (const auto& each : replies)
            boost::asio::post(executor_,
                              [each, weak = std::weak_ptr(handle)]
                              {
                                  if (const auto alive = weak.lock())
                                      (*alive)(each);
                              });
        return std::shared_ptr<void>(handle);
    }

    std::vector<std::string> seen;

private:
    boost::asio::any_io_executor executor_;
    std::map<std::string, std::vector<result<message>>> scripts_;
};

} // namespace marquee::test
