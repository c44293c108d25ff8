#include "tests/support/api_document.hpp"

#include "tests/support/schema_check.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cctype>

namespace marquee::test
{

namespace json = boost::json;

namespace
{

constexpr std::string_view schema_reference = "#/components/schemas/";

std::string body_complaints(const json::object& schema, const std::string& body)
{
    if (const auto* reference = schema.if_contains("$ref"))
    {
        const std::string_view to = reference->as_string();
        if (!to.starts_with(schema_reference))
            return "a reference that leads nowhere";
        return marquee::test::complaints(std::string(to.substr(schema_reference.size())), body);
    }
    if (schema.at("type").as_string() == "string")
        return body.empty() ? "empty" : "";
    const auto document = json::parse(body);
    for (const auto& member : schema.at("required").as_array())
        if (!document.as_object().contains(member.as_string()))
            return "no " + std::string(member.as_string());
    return {};
}

/// Fields of HTTP itself, which the document does not list.
bool is_of_http(const std::string& name)
{
    return name == "Date" || name == "Content-Type" || name == "Content-Length" || name == "Transfer-Encoding" ||
           name == "Connection";
}

} // namespace

api_document::api_document(std::string_view text) : root_(json::parse(text).as_object()) {}

std::set<std::string> api_document::operations() const
{
    std::set<std::string> all;
    for (const auto& [path, methods] : root_.at("paths").as_object())
        for (const auto& [method, operation] : methods.as_object())
        {
            std::string name = method;
            std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
            all.insert(name + ' ' + std::string(path));
        }
    return all;
}

std::set<std::string> api_document::responses() const
{
    std::set<std::string> all;
    for (const auto& name : operations())
        for (const auto& [status, response] : operation_of(name)->at("responses").as_object())
            all.insert(name + ' ' + std::string(status));
    return all;
}

const json::object* api_document::operation_of(const std::string& name) const
{
    const auto space = name.find(' ');
    std::string method = name.substr(0, space);
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto* path = root_.at("paths").as_object().if_contains(name.substr(space + 1));
    const auto* found = path != nullptr ? path->as_object().if_contains(method) : nullptr;
    return found != nullptr ? &found->as_object() : nullptr;
}

const json::object& api_document::resolved(const json::object& one) const
{
    const auto* reference = one.if_contains("$ref");
    if (reference == nullptr)
        return one;
    return root_.at("components")
        .at_pointer(std::string(reference->as_string()).substr(std::string("#/components").size()))
        .as_object();
}

std::vector<std::string> api_document::complaints(const std::string& operation, const http_answer& answer,
                                                  bool head) const
{
    const auto* documented = operation_of(operation);
    if (documented == nullptr)
        return {"the operation is not documented"};
    const auto* found = documented->at("responses").as_object().if_contains(std::to_string(answer.status));
    if (found == nullptr)
        return {"the status is not documented"};
    const auto& response = resolved(found->as_object());

    std::vector<std::string> all;
    const auto* content = response.if_contains("content");
    const auto* media = content != nullptr ? content->as_object().if_contains(answer.header("Content-Type")) : nullptr;
    if ((content == nullptr) != answer.header("Content-Type").empty() || (content != nullptr && media == nullptr))
        all.push_back("the media type is not documented: " + answer.header("Content-Type"));
    else if (media != nullptr && !head)
        if (auto wrong = body_complaints(media->at("schema").as_object(), answer.body); !wrong.empty())
            all.push_back(std::move(wrong));

    const auto& fields = response.at("headers").as_object();
    for (const auto& [name, header] : fields)
        if (answer.header(name).empty() && resolved(header.as_object()).at("required").as_bool())
            all.push_back("without " + std::string(name));
    for (const auto& [name, value] : answer.headers)
        if (!is_of_http(name) && !fields.contains(name))
            all.push_back(name + " is not documented");

    if (const auto* codes = response.if_contains("x-problem-codes"); codes != nullptr && !head)
    {
        const auto& list = codes->as_array();
        if (std::find(list.begin(), list.end(), json::value(answer.text("code"))) == list.end())
            all.push_back("the code is not documented: " + answer.text("code"));
    }
    return all;
}

} // namespace marquee::test
