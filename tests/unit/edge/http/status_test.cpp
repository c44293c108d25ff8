#include "edge/http/problems.hpp"
#include "edge/http/status.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(status)

BOOST_AUTO_TEST_CASE(every_code_has_the_status_of_the_contract)
{
    const std::pair<errc, int> table[] = {
        {errc::bad_id, 400},
        {errc::bad_request, 400},
        {errc::unauthorized, 401},
        {errc::forbidden, 403},
        {errc::route_not_found, 404},
        {errc::method_not_allowed, 405},
        {errc::request_timeout, 408},
        {errc::payload_too_large, 413},
        {errc::uri_too_long, 414},
        {errc::headers_too_large, 431},
        {errc::unsupported_media, 415},
        {errc::not_implemented, 501},
        {errc::version_not_supported, 505},
        {errc::range_not_satisfiable, 416},
        {errc::rate_limited, 429},
        {errc::asset_not_found, 404},
        {errc::user_not_found, 404},
        {errc::not_playable, 404},
        {errc::revision_mismatch, 412},
        {errc::key_reused, 422},
        {errc::malformed_reply, 502},
        {errc::service_failed, 502},
        {errc::no_responders, 503},
        {errc::disconnected, 503},
        {errc::overloaded, 503},
        {errc::stopping, 503},
        {errc::unavailable, 503},
        {errc::timeout, 504},
        {errc::outcome_unknown, 504},
    };
    BOOST_TEST(std::size(table) ==
               static_cast<std::size_t>(errc::outcome_unknown)); // the last code: none is missing here
    for (const auto& [code, status] : table)
        BOOST_TEST_CONTEXT(name_of(code)) { BOOST_TEST(status_of(code) == status); }
}

BOOST_AUTO_TEST_CASE(the_api_page_explains_every_code_in_the_words_of_its_problem_page)
{
    std::ifstream file(MARQUEE_SOURCE_DIR "/docs/http-api.md");
    const std::string document{std::istreambuf_iterator<char>(file), {}};
    for (int number = 1; number <= static_cast<int>(errc::outcome_unknown); ++number)
    {
        const auto code = static_cast<errc>(number);
        const auto text = problem_text_of(code);
        const auto row = "| " + std::to_string(status_of(code)) + " | `" + std::string(name_of(code)) + "` | " +
                         std::string(text.meaning) + ' ' + std::string(text.when) + " | " + std::string(text.cure) +
                         " |\n";
        BOOST_TEST(document.find(row) != std::string::npos, "missing in docs/http-api.md: " << row);
        const auto page = problem_page(code);
        for (const auto part : {text.meaning, text.when, text.cure})
        {
            BOOST_TEST(page.find(part) != std::string::npos);
            BOOST_TEST(as_sentence(std::string(part)) == part, part);
        }
        BOOST_TEST((find_problem(name_of(code)) == code));
    }
    BOOST_TEST(!find_problem("unknown"));
    BOOST_TEST(!find_problem(""));
}

BOOST_AUTO_TEST_CASE(the_api_page_lists_every_code_with_its_status)
{
    std::map<std::string, int> listed;
    std::ifstream document(MARQUEE_SOURCE_DIR "/docs/http-api.md");
    const std::regex row("\\| ([0-9]{3}) \\| `([a-z_]+)` \\| .+ \\|");
    std::smatch found;
    for (std::string line; std::getline(document, line);)
        if (std::regex_match(line, found, row))
            BOOST_TEST(listed.emplace(found[2], std::stoi(found[1])).second, found[2] << " is listed twice");
    for (int number = 1; number <= static_cast<int>(errc::outcome_unknown); ++number)
    {
        const auto code = static_cast<errc>(number);
        const std::string name(name_of(code));
        BOOST_TEST(listed[name] == status_of(code), name);
        listed.erase(name);
    }
    for (const auto& [name, status] : listed)
        BOOST_ERROR(name << " is listed and no code");
}

BOOST_AUTO_TEST_CASE(a_problem_says_what_went_wrong_and_for_which_request)
{
    const request_failure failure(fail(errc::bad_request, "limit is a number", "limit"), "it's \"1\"");
    const auto answer = problem_response(failure, "r-7");
    const auto document = boost::json::parse(answer.body).as_object();
    BOOST_TEST(document.at("type").as_string() == "/problems/bad_request");
    BOOST_TEST(document.at("title").as_string() == std::string(title_of(errc::bad_request)));
    BOOST_TEST(document.at("status").as_int64() == 400);
    BOOST_TEST(document.at("code").as_string() == "bad_request");
    BOOST_TEST(document.at("detail").as_string() == "Limit is a number.");
    BOOST_TEST(document.at("instance").as_string() == "r-7");
    BOOST_TEST(document.at("request_id").as_string() == "r-7");
    BOOST_TEST(document.at("id").as_string() == "it's \"1\"");
    BOOST_TEST(document.at("field").as_string() == "limit");
    BOOST_TEST(answer.fields.get("Content-Type").value() == "application/problem+json");
    BOOST_TEST(answer.fields.get("Cache-Control").value() == "no-store");
}

BOOST_AUTO_TEST_CASE(every_problem_says_something_about_its_cause)
{
    std::set<std::string> details;
    for (int number = 1; number <= static_cast<int>(errc::outcome_unknown); ++number)
    {
        const auto code = static_cast<errc>(number);
        const auto answer = problem_response(fail(code), "r");
        const auto document = boost::json::parse(answer.body).as_object();
        BOOST_TEST(details.insert(std::string(document.at("detail").as_string())).second, name_of(code));
        BOOST_TEST(document.contains("field") == (status_of(code) == 400), name_of(code));
        BOOST_TEST(!document.contains("id"));
    }
    BOOST_TEST(!details.contains(""));
}

BOOST_AUTO_TEST_CASE(the_detail_of_a_service_is_passed_on_up_to_a_limit)
{
    const std::string two_bytes = "\u00e9";
    std::string endless;
    for (int i = 0; i < 3000; ++i)
        endless += two_bytes;
    for (const std::string before : {"", "a"})
    {
        const auto answer = problem_response(fail(errc::unavailable, before + endless, "a b"), "r");
        const auto document = boost::json::parse(answer.body).as_object(); // valid UTF-8, or this throws
        BOOST_TEST(document.at("detail").as_string().size() == (before.empty() ? 4095U : 4096U));
        BOOST_TEST(!document.contains("field"));
    }
}

BOOST_AUTO_TEST_CASE(retriable_problems_have_retry_after_and_401_has_www_authenticate)
{
    for (const auto code : {errc::overloaded, errc::rate_limited, errc::no_responders})
        BOOST_TEST(problem_response(fail(code), "r").fields.get("Retry-After").value_or("") == "1");
    for (const auto code : {errc::timeout, errc::asset_not_found, errc::bad_id})
        BOOST_TEST(!problem_response(fail(code), "r").fields.get("Retry-After"));
    BOOST_TEST(problem_response(fail(errc::unauthorized), "r")
                   .fields.get("WWW-Authenticate")
                   .value_or("")
                   .starts_with("Bearer"));
    BOOST_TEST(!problem_response(fail(errc::forbidden), "r").fields.get("WWW-Authenticate"));
}

BOOST_AUTO_TEST_SUITE_END()
