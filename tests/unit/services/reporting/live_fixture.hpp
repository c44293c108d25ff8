// reporting.live on a projection, and a stream that it reads from.
#pragma once

#include "services/reporting/live_endpoint.hpp"

#include "schemas/live_messages.hpp"
#include "schemas/rfc3339.hpp"
#include "tests/unit/services/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <openssl/evp.h>
#include <span>

namespace marquee::test
{

using namespace std::chrono_literals;

inline std::string base64(const std::string& text)
{
    std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
    const auto size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

/// A stream that answers STREAM.MSG.GET and STREAM.INFO.
class fake_stream final : public requester
{
public:
    explicit fake_stream(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    void store(const stored_message& m) { messages[m.sequence] = m; }

    pending_reply request(const subject& to, std::string_view payload, const header_list&, deadline until) override
    {
        pending_reply reply(executor_);
        ++requests;
        last_until = until;
        if (silent)
        {
            auto end = std::make_shared<asio::steady_timer>(executor_, until.at());
            end->async_wait([end, reply](auto) { reply.settle(fail(errc::timeout)); });
            return reply;
        }
        reply.settle(message{"", "", to.str().find("MSG.GET") == std::string::npos ? info() : get(payload), {}});
        return reply;
    }
    pending_reply request_by_header(const subject& to, std::string_view payload, header_list headers, std::string_view,
                                    deadline until) override
    {
        return request(to, payload, headers, until);
    }

    std::map<std::uint64_t, stored_message> messages;
    std::size_t requests = 0;
    deadline last_until = deadline::in(1h); ///< of the last request
    bool silent = false;                    ///< no request is answered

private:
    std::string get(std::string_view payload)
    {
        const auto found = messages.find(json(payload).at("seq").to_number<std::uint64_t>());
        if (found == messages.end())
            return R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})";
        const auto& m = found->second;
        const std::chrono::system_clock::time_point time(m.timestamp);
        return R"({"message":{"subject":")" + m.subject + R"(","seq":)" + std::to_string(m.sequence) + R"(,"data":")" +
               base64(m.data) + R"(","time":")" + rfc3339(time) + R"("}})";
    }

    [[nodiscard]] std::string info() const
    {
        const auto first = messages.empty() ? 1 : messages.begin()->first;
        const auto last = messages.empty() ? 0 : messages.rbegin()->first;
        return R"({"config":{"name":"EVENTS"},"created":"2026-01-31T09:30:00Z","state":{"messages":)" +
               std::to_string(messages.size()) + R"(,"first_seq":)" + std::to_string(first) + R"(,"last_seq":)" +
               std::to_string(last) + "}}";
    }

    asio::any_io_executor executor_;
};

struct live_fixture
{
    temporary_folder folder;
    asio::io_context io{1};
    fake_stream stream{io.get_executor()};
    std::shared_ptr<reporting_views> views = make();
    endpoint_config endpoint = live_endpoint(views, [] { return boost::json::value(); });

    std::shared_ptr<reporting_views> make(nanoseconds window = hours(24))
    {
        projection_settings settings;
        settings.path = folder.file("counts" + std::to_string(window.count()) + ".db");
        settings.dedupe_window = window;
        auto counts = projection::open(settings);
        BOOST_REQUIRE_MESSAGE(counts.has_value(), counts.error().detail);
        auto made = std::make_shared<reporting_views>(std::move(*counts), io.get_executor(), [](std::string) {});
        made->stream = &stream;
        return made;
    }

    /// Stores messages and counts them, as the instance does.
    void count(const std::vector<stored_message>& messages, bool commit = true)
    {
        for (const auto& m : messages)
            stream.store(m);
        views->live.before_staging(views->counts);
        BOOST_REQUIRE(views->counts.stage(messages).has_value());
        views->live.staged(views->counts);
        if (commit)
            BOOST_REQUIRE(views->counts.commit().has_value());
    }

    std::shared_ptr<std::optional<service_result>> begin(std::string payload, std::chrono::milliseconds limit = 5s)
    {
        auto answer = std::make_shared<std::optional<service_result>>();
        service_request request{message{"reporting.live", "", std::move(payload), {}}, deadline::in(limit), true};
        asio::co_spawn(io, endpoint.handler(std::move(request)),
                       [answer](const std::exception_ptr& e, service_result r)
                       {
                           if (e)
                               std::rethrow_exception(e);
                           *answer = std::move(r);
                       });
        io.restart();
        io.poll();
        return answer;
    }

    live_reply finish(const std::shared_ptr<std::optional<service_result>>& answer)
    {
        run_until(io, [&] { return answer->has_value(); });
        BOOST_REQUIRE(code_of(**answer) == "ok");
        return decode<live_reply>((**answer)->data).value();
    }

    live_reply call(std::string payload, std::chrono::milliseconds limit = 5s)
    {
        return finish(begin(std::move(payload), limit));
    }

    live_reply after(const std::string& place, std::size_t limit = 100, std::chrono::milliseconds time = 5s)
    {
        return call(R"({"after":")" + place + R"(","limit":)" + std::to_string(limit) + "}", time);
    }
};

/// `id asset user`, one a view, with the counts where they are known.
inline std::string shown(const live_reply& reply)
{
    std::string text;
    for (const auto& each : reply.views)
    {
        text += each.id + ' ' + each.asset + ' ' + each.user;
        if (each.assetviews)
            text += ' ' + std::to_string(*each.assetviews) + ' ' + std::to_string(each.userviews.value());
        text += '\n';
    }
    for (const auto& each : reply.erased.value_or(std::vector<live_erasure>()))
        text += "erased " + each.user + ' ' + std::to_string(each.sequence) + '\n';
    return text + (reply.gap.value_or(false) ? "gap " : "") + reply.next;
}

} // namespace marquee::test
