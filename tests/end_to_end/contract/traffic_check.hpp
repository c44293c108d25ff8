// Checks all messages of a broker and all HTTP answers against schemas/json.
#pragma once

#include "broker/nats/message.hpp"
#include "tests/support/http_client.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace marquee::test
{

/// A request or event with this header is wrong on purpose: it is not checked against its schema,
/// and its reply must be an error.
inline constexpr const char* wrong_on_purpose = "Test-Wrong";

/// Every finding is a failed check of the running test case.
class traffic_check
{
public:
    /// All messages of a broker since it started. An unknown subject, an unknown header, a payload
    /// that does not fit, a reply to nothing, and, where `all_answered`, a request to a service
    /// without a reply, are findings.
    void messages(const std::vector<message>& seen, bool all_answered);

    /// The answer of an edge to a call. Any status but 200, 304 and those of problems is a finding.
    void answer(const http_call& call, const http_answer& given);

    /// The names of the schemas that were used.
    [[nodiscard]] const std::set<std::string>& schemas() const { return schemas_; }

    /// What has been seen, for a test to check that it covers everything: `metadata.get ok`,
    /// `metadata.get error`, `events stored`, `GET /events/top ok`, …
    [[nodiscard]] const std::set<std::string>& seen() const { return seen_; }

    /// The codes of the problems seen.
    [[nodiscard]] const std::set<std::string>& codes() const { return codes_; }

private:
    struct pending_request
    {
        std::string subject;
        bool wrong = false;
        std::string data;
        int replies = 0;
    };

    void fits(const std::string& schema, const std::string& json, const std::string& where);
    void request(const message& msg);
    void event(const message& msg);
    void correction(const message& msg);
    void entry(const message& msg);
    void reply(const message& msg);
    void error_body(const message& msg, const std::string& where);
    void problem(const http_answer& given, const std::string& where);

    std::map<std::string, pending_request> pending_; ///< by reply subject
    std::set<std::string> schemas_;
    std::set<std::string> seen_;
    std::set<std::string> codes_;
};

} // namespace marquee::test
