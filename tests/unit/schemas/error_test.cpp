#include "schemas/error.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <stdexcept>
#include <vector>

using namespace marquee;

namespace
{

std::vector<errc> every_code()
{
    std::vector<errc> codes;
    for (int i = 1; i <= static_cast<int>(errc::outcome_unknown); ++i)
        codes.push_back(static_cast<errc>(i));
    return codes;
}

struct service_row
{
    const char* text;
    const char* number;
    errc expected;
};

// An unknown text is read by its number.
const service_row by_number[] = {
    {"Something", "400", errc::bad_request},
    {"Something", "404", errc::asset_not_found},
    {"Something", "409", errc::revision_mismatch},
    {"Something", "413", errc::payload_too_large},
    {"Something", "422", errc::key_reused},
    {"Something", "500", errc::service_failed},
    {"Something", "501", errc::service_failed},
    {"Something", "503", errc::unavailable},
    {"Something", "504", errc::timeout},
    {"Something", "599", errc::service_failed},
    {"Something", "600", errc::malformed_reply},
    {"Something", "200", errc::malformed_reply},
    {"Something", "0", errc::malformed_reply},
    {"Something", "-1", errc::malformed_reply},
    {"Something", "418", errc::malformed_reply},
    {"Something", "", errc::malformed_reply},
    {"Something", "503 ", errc::malformed_reply},
    {"Something", " 503", errc::malformed_reply},
    {"Something", "+503", errc::malformed_reply},
    {"Something", "5e2", errc::malformed_reply},
    {"Something", "503.0", errc::malformed_reply},
    {"Something", "five", errc::malformed_reply},
    {"Something", "99999999999999999999", errc::malformed_reply},
    {"", "503", errc::unavailable},
    {"", "", errc::malformed_reply},
};

} // namespace

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(every_code_has_a_unique_name_and_title)
{
    std::set<std::string_view> names;
    std::set<std::string_view> titles;
    for (const auto code : every_code())
    {
        BOOST_TEST_CONTEXT("code " << static_cast<int>(code))
        {
            BOOST_TEST(name_of(code) != "unknown");
            BOOST_TEST(!title_of(code).empty());
            BOOST_TEST(name_of(code).find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
            BOOST_TEST(names.insert(name_of(code)).second);
            BOOST_TEST(titles.insert(title_of(code)).second);
            BOOST_TEST((title_of(code).front() >= 'A' && title_of(code).front() <= 'Z'), "a phrase, not a code");
            BOOST_TEST(title_of(code).find('_') == std::string_view::npos);
            BOOST_TEST(title_of(code).size() <= 64U); // the limit of the schema
        }
    }
    BOOST_TEST(names.size() == 29U);
}

BOOST_AUTO_TEST_CASE(every_service_code_is_an_error_number)
{
    for (const auto code : every_code())
        BOOST_TEST_CONTEXT(name_of(code))
        {
            BOOST_TEST((service_code_of(code) >= 400 && service_code_of(code) <= 599));
        }
}

BOOST_AUTO_TEST_CASE(names_titles_and_numbers_are_those_of_the_contract)
{
    BOOST_TEST(title_of(errc::asset_not_found) == "Asset not found");
    BOOST_TEST(title_of(errc::user_not_found) == "User not found");
    BOOST_TEST(service_text_of(errc::asset_not_found) == "Asset not found");
    BOOST_TEST(service_text_of(errc::key_reused) == "key_reused");
    BOOST_TEST(service_text_of(errc::overloaded) == "overloaded");
    BOOST_TEST(service_text_of(errc::outcome_unknown) == "outcome_unknown");
    BOOST_TEST(name_of(errc::bad_id) == "bad_id");
    BOOST_TEST(name_of(errc::outcome_unknown) == "outcome_unknown");
    BOOST_TEST(service_code_of(errc::bad_id) == 400);
    BOOST_TEST(service_code_of(errc::asset_not_found) == 404);
    BOOST_TEST(service_code_of(errc::revision_mismatch) == 409);
    BOOST_TEST(service_code_of(errc::key_reused) == 422);
    BOOST_TEST(service_code_of(errc::overloaded) == 503);
    BOOST_TEST(service_code_of(errc::outcome_unknown) == 504);
}

BOOST_AUTO_TEST_CASE(every_code_is_read_back_from_its_error_reply)
{
    for (const auto code : every_code())
        BOOST_TEST_CONTEXT(name_of(code))
        {
            BOOST_TEST((errc_from_service(service_text_of(code), std::to_string(service_code_of(code))) == code));
        }
}

BOOST_AUTO_TEST_CASE(an_unknown_text_is_read_by_its_number)
{
    for (const auto& row : by_number)
        BOOST_TEST_CONTEXT('"' << row.text << "\" \"" << row.number << '"')
        {
            BOOST_TEST(name_of(errc_from_service(row.text, row.number)) == name_of(row.expected));
        }
}

BOOST_AUTO_TEST_CASE(a_number_outside_the_enum_has_the_unknown_row)
{
    for (const int number : {0, -1, 30, 1000})
    {
        const auto code = static_cast<errc>(number);
        BOOST_TEST(name_of(code) == "unknown");
        BOOST_TEST(title_of(code) == "Unknown");
        BOOST_TEST(service_text_of(code) == "Unknown");
        BOOST_TEST(service_code_of(code) == 500);
    }
}

BOOST_AUTO_TEST_CASE(the_value_of_a_failure_throws_with_its_name_and_detail)
{
    const result<int> failed = fail(errc::timeout, "after 2 s");
    const auto says_both = [](const std::logic_error& e)
    {
        const std::string_view text = e.what();
        return text.find("timeout") != text.npos && text.find("after 2 s") != text.npos;
    };
    BOOST_CHECK_EXCEPTION((void)failed.value(), std::logic_error, says_both);
}

BOOST_AUTO_TEST_SUITE_END()
