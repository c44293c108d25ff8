// Checks of HTTP answers and NATS replies, and how a failed check prints its request.
#pragma once

#include "broker/nats/message.hpp"
#include "tests/support/http_client.hpp"

#include <boost/assert/source_location.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>

namespace marquee::test
{

inline std::ostream& operator<<(std::ostream& out, const http_call& call)
{
    out << call.method << ' ' << call.target.substr(0, 100);
    for (const auto& [name, value] : call.headers)
        out << " | " << name << ": " << value;
    return out << (call.body.empty() ? "" : " | ") << call.body.substr(0, 80);
}

/// Checks a problem document in full: status, code, and what goes with them.
inline void check_problem(const http_answer& answer, int status, const std::string& code,
                          const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    BOOST_TEST_CONTEXT("called at line " << where.line() << ", body " << answer.body.substr(0, 500))
    {
        BOOST_TEST(answer.status == status);
        BOOST_TEST(answer.header("Content-Type") == "application/problem+json");
        BOOST_TEST(answer.header("Cache-Control") == "no-store");
        if (answer.header("Content-Type") == "application/problem+json")
        {
            BOOST_TEST(answer.text("code") == code);
            BOOST_TEST(answer.number("status") == status);
            BOOST_TEST(!answer.text("title").empty());
            BOOST_TEST(!answer.text("detail").empty());
            BOOST_TEST((!answer.text("field").empty() || status != 400));
            BOOST_TEST(answer.text("instance") == answer.header("X-Request-ID"));
        }
        BOOST_TEST((answer.header("Retry-After") == "1") == (status == 503 || status == 429));
        BOOST_TEST((!answer.header("WWW-Authenticate").empty() || status != 401));
        BOOST_TEST((answer.header("WWW-Authenticate").empty() || status == 401 || status == 403));
        BOOST_TEST((!answer.header("Allow").empty()) == (status == 405));
    }
}

/// Checks an answer: status, content type and JSON body.
inline void check_json(const http_answer& answer, int status, const std::string& body,
                       const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    BOOST_TEST_CONTEXT("called at line " << where.line())
    {
        BOOST_TEST(answer.status == status);
        BOOST_TEST(answer.header("Content-Type") == "application/json");
        BOOST_TEST(answer.body == body);
    }
}

/// Checks that a play or a view was answered without counts because `part` was missing.
inline void check_degraded(const http_answer& answer, const std::string& part,
                           const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    BOOST_TEST_CONTEXT("called at line " << where.line() << ", body " << answer.body.substr(0, 500))
    {
        BOOST_TEST(answer.status == 200);
        const std::string end = R"("userviews":null,"assetviews":null,"degraded":[")" + part + "\"]}";
        BOOST_TEST(answer.body.ends_with(end));
    }
}

/// Checks an error reply: the headers, and a body that says the same. An empty `id` or `field`: the
/// body has none.
inline void check_error(const message& reply, int code, const std::string& text, const std::string& id = {},
                        const std::string& field = {}, const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    BOOST_TEST_CONTEXT("called at line " << where.line() << ", body " << reply.data.substr(0, 500))
    {
        BOOST_TEST(reply.headers.get("Nats-Service-Error-Code") == std::to_string(code));
        BOOST_TEST(reply.headers.get("Nats-Service-Error") == text);
        boost::json::object expected{{"status", text}};
        auto body = boost::json::parse(reply.data).as_object();
        if (body.erase("detail"); !id.empty())
            expected["id"] = id;
        if (!field.empty())
            expected["field"] = field;
        BOOST_TEST((body == expected));
    }
}

/// Checks a successful reply.
inline void check_reply(const message& reply, const std::string& body,
                        const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    BOOST_TEST_CONTEXT("called at line " << where.line())
    {
        BOOST_TEST(reply.headers.get("Nats-Service-Error") == "");
        BOOST_TEST(!reply.headers.has("Nats-Service-Error-Code"));
        BOOST_TEST(reply.data == body);
    }
}

} // namespace marquee::test
