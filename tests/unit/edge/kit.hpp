// Drives the gateway with a scripted broker: no HTTP, no sockets.
#pragma once

#include "edge/routes/gateway.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "tests/support/fake_requester.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace marquee::test
{

/// A file that goes away with its owner.
class temporary_file
{
public:
    explicit temporary_file(const std::string& text)
    {
        std::string name = "/tmp/marquee-unit-edge-XXXXXX";
        ::close(::mkstemp(name.data()));
        path_ = name;
        write(text);
    }
    ~temporary_file() { ::unlink(path_.c_str()); }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;

    void write(const std::string& text) const { std::ofstream(path_, std::ios::binary | std::ios::trunc) << text; }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

class gateway_kit
{
public:
    asio::io_context io{1};
    fake_requester nats{io.get_executor()};
    hedge_timer waiting{io};
    edge_context edge{nats};
    temporary_file token_file{"s3cret-s3cret-s3cret\n"};

    using field_list = std::vector<std::pair<std::string, std::string>>;

    gateway_kit()
    {
        edge.access.admin = admin_token::from_file(token_file.path()).value();
        edge.services.hedges = &waiting;
    }

    [[nodiscard]] static http_request make(const std::string& method, const std::string& target,
                                           const field_list& fields = {}, const std::string& body = {})
    {
        http_request request;
        request.id = "request-1";
        request.method = method;
        request.target = target;
        for (const auto& [name, value] : fields)
            request.fields.add(name, value);
        request.body = body;
        return request;
    }

    http_response send(const std::string& method, const std::string& target, const field_list& fields = {},
                       const std::string& body = {}, const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        return send_through(edge, make(method, target, fields, body), where);
    }

    http_response send_through(edge_context& to, const http_request& one,
                               const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        http_response answer;
        run_coro(
            io,
            [&]() -> asio::awaitable<void>
            {
                auto request = one;
                answer = co_await handle_request(to, std::move(request));
            },
            std::chrono::seconds(10), where);
        return answer;
    }

    http_response as_admin(const std::string& method, const std::string& target, field_list fields = {},
                           const std::string& body = {}, const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        fields.emplace_back("Authorization", "Bearer s3cret-s3cret-s3cret");
        return send(method, target, fields, body, where);
    }

    /// The answer to a question; silence is asked once more.
    void script_answer(const std::string& subject, const result<message>& outcome)
    {
        nats.script(subject, outcome);
        if (outcome.has_error() && outcome.error() == errc::timeout)
            nats.script(subject, outcome);
    }

    /// The requests sent, by subject, in order.
    [[nodiscard]] std::vector<std::string> subjects_seen() const
    {
        std::vector<std::string> all;
        for (const auto& each : nats.seen)
            all.push_back(each.subject);
        return all;
    }
};

[[nodiscard]] inline std::string member(const http_response& answer, const char* name)
{
    const auto document = boost::json::parse(answer.body);
    const auto* found = document.as_object().if_contains(name);
    if (found == nullptr)
        return "(absent)";
    return found->is_string() ? std::string(found->as_string()) : boost::json::serialize(*found);
}

/// Checks a problem document in full.
inline void check_problem(const http_response& answer, int status, const std::string& code,
                          const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    BOOST_TEST_CONTEXT("called at line " << where.line() << ", body " << answer.body)
    {
        BOOST_TEST(answer.status == status);
        BOOST_TEST(answer.fields.get("Content-Type").value_or("") == "application/problem+json");
        BOOST_TEST(answer.fields.get("Cache-Control").value_or("") == "no-store");
        BOOST_TEST(member(answer, "code") == code);
        BOOST_TEST(member(answer, "status") == std::to_string(status));
        BOOST_TEST(member(answer, "instance") == "request-1");
        BOOST_TEST(member(answer, "request_id") == "request-1");
        BOOST_TEST(member(answer, "type") == "/problems/" + code);
        const auto detail = member(answer, "detail");
        BOOST_TEST((detail.front() < 'a' || detail.front() > 'z'), detail);
        BOOST_TEST(detail.back() == '.', detail);
        BOOST_TEST(answer.fields.get("Retry-After").has_value() == (status == 503 || status == 429));
    }
}

} // namespace marquee::test
