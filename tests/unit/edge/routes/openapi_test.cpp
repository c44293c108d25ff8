// schemas/openapi.json against the code and against schemas/json.
#include "edge/routes/openapi.hpp"
#include "edge/routes/routes.hpp"
#include "tests/support/json_walk.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/support/schema_check.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <regex>
#include <set>

using namespace marquee;
using namespace marquee::test;

namespace json = boost::json;

namespace
{

std::string name_of(const route& each) { return std::string(each.method) + ' ' + std::string(each.pattern); }

std::string in_case(std::string text, int (*change)(int))
{
    std::transform(text.begin(), text.end(), text.begin(),
                   [change](unsigned char c) { return static_cast<char>(change(c)); });
    return text;
}

const json::object& operation(const json::value& document, const route& each)
{
    const auto method = in_case(std::string(each.method), std::tolower);
    return document.at("paths").at(each.pattern).at(method).as_object();
}

/// Whether a response has exactly the header fields of the document, in their form.
void check_fields(const json::value& document, const route& each, const http_response& answer)
{
    const auto& given = operation(document, each).at("responses").at(std::to_string(answer.status));
    const auto& response = document.at_pointer(std::string(given.at("$ref").as_string()).substr(1));
    const auto& fields = response.at("headers").as_object();
    for (const auto& [name, reference] : fields)
    {
        if (name == "X-Request-ID") // added by the session
            continue;
        const auto& field = document.at_pointer(std::string(reference.at("$ref").as_string()).substr(1));
        const auto count = answer.fields.count(name);
        BOOST_TEST((count == 1 || (count == 0 && !field.at("required").as_bool())), name);
        const auto& schema = field.at("schema");
        if (const auto* form = schema.as_object().if_contains("pattern"); form != nullptr && count > 0)
            BOOST_TEST(std::regex_match(std::string(answer.fields.get(name).value_or("")),
                                        std::regex(std::string(form->as_string()))),
                       name);
    }
    for (const auto& [name, value] : answer.fields)
        BOOST_TEST((name == "Content-Type" || fields.contains(name)), name << ": " << value);
    const auto& codes = response.at("x-problem-codes").as_array();
    BOOST_TEST((std::find(codes.begin(), codes.end(), json::value(member(answer, "code"))) != codes.end()));
}

struct openapi_kit
{
    json::value whole = json::parse(openapi_text());
    const json::value& components = whole.at("components");
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(openapi, openapi_kit)

BOOST_AUTO_TEST_CASE(the_served_document_is_that_of_the_source_tree)
{
    BOOST_TEST((openapi_text() == document_text("openapi")));
    BOOST_TEST(whole.at("openapi").as_string() == "3.1.0");
    BOOST_TEST(whole.at("info").at("version").as_string() == MARQUEE_VERSION);
}

BOOST_AUTO_TEST_CASE(its_operations_are_the_routes)
{
    std::set<std::string> routes;
    for (const auto& each : all_routes())
        routes.insert(name_of(each));
    std::set<std::string> documented;
    for (const auto& [path, methods] : whole.at("paths").as_object())
        for (const auto& [method, one] : methods.as_object())
            documented.insert(in_case(method, std::toupper) + ' ' + std::string(path));
    BOOST_TEST(documented == routes, boost::test_tools::per_element());
    BOOST_TEST(routes.size() == all_routes().size());
}

BOOST_AUTO_TEST_CASE(parameters_bodies_and_credentials_are_those_of_the_routes)
{
    for (const auto& each : all_routes())
        BOOST_TEST_CONTEXT(name_of(each))
        {
            const auto& one = operation(whole, each);
            std::set<std::string> documented;
            if (const auto* list = one.if_contains("parameters"))
                for (const auto& parameter : list->as_array())
                {
                    const std::string at(parameter.at("$ref").as_string());
                    const auto& found = whole.at_pointer(at.substr(1));
                    if (found.at("in").as_string() == "path")
                        documented.insert('{' + std::string(found.at("name").as_string()) + '}');
                }
            std::set<std::string> in_path;
            for (auto open = each.pattern.find('{'); open != std::string_view::npos;
                 open = each.pattern.find('{', open + 1))
                in_path.emplace(each.pattern.substr(open, each.pattern.find('}', open) - open + 1));
            BOOST_TEST(documented == in_path, boost::test_tools::per_element());
            BOOST_TEST(one.contains("requestBody") == each.is.body);
            const char* rights = each.is.admin    ? R"([{"adminToken":[]}])"
                                 : each.is.user   ? R"([{},{"userToken":[]}])" // the edge may run without keys
                                 : each.is.stream ? R"([{},{"userToken":[]},{"adminToken":[]}])"
                                                  : "[]";
            BOOST_TEST(one.at("security") == json::parse(rights));
            for (const auto* refusal : {"401", "403"})
                BOOST_TEST(one.at("responses").as_object().contains(refusal) ==
                               (each.is.admin || each.is.user || each.is.stream),
                           refusal);
            BOOST_TEST(one.at("responses").as_object().contains("504") == !(each.is.internal || each.is.stream));
            BOOST_TEST(one.at("responses").as_object().contains("200"));
        }
}

BOOST_FIXTURE_TEST_CASE(rate_limited_responses_follow_the_document, gateway_kit)
{
    const auto document = json::parse(openapi_text());
    for (const auto& each : all_routes())
        BOOST_TEST_CONTEXT(name_of(each))
        {
            rate_settings settings;
            settings.address = rate::parse("0.01:1").value();
            rate_limits limits(settings);
            edge.admitted.rates = &limits;
            (void)send(std::string(each.method), std::string(each.pattern));
            const auto answer = send(std::string(each.method), std::string(each.pattern));
            BOOST_TEST(operation(document, each).at("responses").as_object().contains("429") == (answer.status == 429));
            if (answer.status != 429)
                continue;
            check_fields(document, each, answer);
            for (const auto* field : {"RateLimit", "RateLimit-Policy"})
                BOOST_TEST(answer.fields.count(field) == 1U, field);
        }
}

BOOST_FIXTURE_TEST_CASE(responses_to_wrong_credentials_follow_the_document, gateway_kit)
{
    const auto document = json::parse(openapi_text());
    const std::string secret = "correct-horse-battery-staple-and-more";
    const temporary_file keys(secret + '\n');
    edge.access.players = player_token::from({keys.path(), {}}).value();
    const auto claims = R"({"sub":"another","exp":)" + in_seconds(3600) + "}";
    const auto others = "Bearer " + jwt_signer::secret(secret).token("HS256", claims);
    for (const auto& each : all_routes())
        if (each.is.admin || each.is.user)
            BOOST_TEST_CONTEXT(name_of(each))
            {
                const std::string method(each.method);
                const std::string path(each.pattern);
                const auto none = send(method, path);
                BOOST_TEST(none.status == 401);
                check_fields(document, each, none);
                const auto wrong = send(method, path, {{"Authorization", "Bearer wrong"}});
                BOOST_TEST(wrong.status == 401);
                check_fields(document, each, wrong);
                if (each.is.admin)
                    edge.access.admin = admin_token();
                const auto never = send(method, path, {{"Authorization", others}});
                BOOST_TEST(never.status == 403);
                check_fields(document, each, never);
                edge.access.admin = admin_token::from_file(token_file.path()).value();
            }
}

BOOST_AUTO_TEST_CASE(its_schemas_are_those_of_schemas_json)
{
    for (const auto& [name, schema] : components.at("schemas").as_object())
        BOOST_TEST_CONTEXT(name)
        {
            auto file = json::parse(schema_text(name)).as_object();
            file.erase("$schema");
            file.erase("$id");
            BOOST_TEST((schema == json::value(file)));
        }
}

BOOST_AUTO_TEST_CASE(every_reference_resolves_and_every_component_is_used)
{
    std::set<std::string> used;
    visit(whole,
          [&](const json::object& one)
          {
              if (const auto* reference = one.if_contains("$ref"))
              {
                  const std::string to(reference->as_string());
                  used.insert(to);
                  boost::system::error_code ec;
                  BOOST_TEST(whole.find_pointer(to.substr(1), ec) != nullptr, to);
              }
          });
    for (const auto& [kind, members] : components.as_object())
        for (const auto& [name, member] : members.as_object())
        {
            const auto to = "#/components/" + std::string(kind) + '/' + std::string(name);
            BOOST_TEST((used.contains(to) || kind == "securitySchemes"), to);
        }
}

BOOST_AUTO_TEST_CASE(problem_codes_are_those_of_the_program_and_belong_to_their_status)
{
    std::map<std::string, int> statuses;
    for (int i = 1; i <= static_cast<int>(errc::outcome_unknown); ++i)
        statuses[std::string(marquee::name_of(static_cast<errc>(i)))] = status_of(static_cast<errc>(i));
    std::set<std::string> listed;
    for (const auto& each : all_routes())
        for (const auto& [status, given] : operation(whole, each).at("responses").as_object())
        {
            const auto* reference = given.as_object().if_contains("$ref");
            const auto& response =
                reference == nullptr ? given : whole.at_pointer(std::string(reference->as_string()).substr(1));
            const auto* codes = response.as_object().if_contains("x-problem-codes");
            BOOST_TEST((codes != nullptr) == (status >= "400"), name_of(each) << ' ' << status);
            if (codes == nullptr)
                continue;
            for (const auto& code : codes->as_array())
            {
                const std::string name(code.as_string());
                BOOST_TEST(std::to_string(statuses[name]) == status, name_of(each) << ' ' << name);
                listed.insert(name);
            }
        }
    // These codes belong to unknown paths, methods and versions.
    for (const auto* of_no_operation :
         {"route_not_found", "method_not_allowed", "not_implemented", "version_not_supported"})
        statuses.erase(of_no_operation);
    for (const auto& [code, status] : statuses)
        BOOST_TEST(listed.contains(code), code);
}

BOOST_AUTO_TEST_SUITE_END()
