// Checks answers against schemas/openapi.json.
#pragma once

#include "tests/support/http_client.hpp"

#include <boost/json/object.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::test
{

class api_document
{
public:
    explicit api_document(std::string_view text);

    /// `GET /events/top` for each operation.
    [[nodiscard]] std::set<std::string> operations() const;

    /// Operation and status, `GET /events/top 200`, of everything documented.
    [[nodiscard]] std::set<std::string> responses() const;

    /// What is not documented about the answer to an operation: its status, media type, body,
    /// header fields, or problem code. `head`: the answer has no body.
    [[nodiscard]] std::vector<std::string> complaints(const std::string& operation, const http_answer& answer,
                                                      bool head) const;

    [[nodiscard]] const boost::json::object& root() const noexcept { return root_; }

private:
    [[nodiscard]] const boost::json::object& resolved(const boost::json::object& one) const;
    [[nodiscard]] const boost::json::object* operation_of(const std::string& name) const;

    boost::json::object root_;
};

} // namespace marquee::test
