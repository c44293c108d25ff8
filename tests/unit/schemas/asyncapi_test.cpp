// schemas/asyncapi.json: its channels are the subjects.
#include "schemas/subjects.hpp"
#include "tests/support/json_walk.hpp"
#include "tests/support/schema_check.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <set>

using namespace marquee;
using namespace marquee::test;

namespace json = boost::json;

namespace
{

std::string replaced(std::string text, const std::string& what, const std::string& with)
{
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

/// The subjects of contract section 2, as the program builds them, for one asset and one user.
std::set<std::string> subjects_in_use()
{
    const auto asset = asset_id::parse("A").value();
    const auto user = user_id::parse("U").value();
    std::set<std::string> all;
    for (const auto& each : {subjects::metadata_get(asset),
                             subjects::metadata_put(asset),
                             subjects::metadata_delete(asset),
                             subjects::metadata_list(),
                             subjects::metadata_search(),
                             subjects::metadata_gets(),
                             subjects::cdnurl_get(asset),
                             subjects::cdnurl_put(asset),
                             subjects::cdnurl_delete(asset),
                             subjects::cdnurl_list(),
                             subjects::cdnurl_gets(),
                             subjects::reporting_asset(asset),
                             subjects::reporting_user(user),
                             subjects::reporting_views(asset, user),
                             subjects::reporting_top(),
                             subjects::reporting_series(),
                             subjects::reporting_series(asset),
                             subjects::reporting_history(user),
                             subjects::reporting_assets(),
                             subjects::reporting_live(),
                             subjects::events(),
                             subjects::events_admin()})
        all.insert(each.str());
    for (const auto* verb : {"PING", "INFO", "STATS"})
        for (const auto* service : {"metadata", "cdnurl", "reporting"})
        {
            all.insert(subjects::discovery(verb).str());
            all.insert(subjects::discovery(verb, service).str());
            all.insert(subjects::discovery(verb, service).str() + ".I");
        }
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(asyncapi)

BOOST_AUTO_TEST_CASE(its_channels_are_the_subjects_of_the_contract)
{
    const auto document = json::parse(document_text("asyncapi"));
    std::set<std::string> addresses;
    for (const auto& [name, channel] : document.at("channels").as_object())
    {
        if (channel.at("address").is_null()) // the inbox of the requester
            continue;
        auto address = std::string(channel.at("address").as_string());
        address = replaced(replaced(replaced(address, "{asset}", "A"), "{user}", "U"), "{instance}", "I");
        for (const auto* verb : {"PING", "INFO", "STATS"})
            for (const auto* service : {"metadata", "cdnurl", "reporting"})
                addresses.insert(replaced(replaced(address, "{verb}", verb), "{service}", service));
    }
    BOOST_TEST(addresses == subjects_in_use(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_channel_has_an_operation_and_every_reference_resolves)
{
    const auto document = json::parse(document_text("asyncapi"));
    std::set<std::string> served;
    for (const auto& [name, operation] : document.at("operations").as_object())
        served.emplace(operation.at("channel").at("$ref").as_string());
    for (const auto& [name, channel] : document.at("channels").as_object())
        BOOST_TEST((served.contains("#/channels/" + std::string(name)) || channel.at("address").is_null()), name);
    const auto names = schema_names();
    const auto check = [&](const json::object& one)
    {
        const auto* reference = one.if_contains("$ref");
        if (reference == nullptr)
            return;
        const std::string to(reference->as_string());
        boost::system::error_code ec;
        if (to.starts_with('#'))
            BOOST_TEST(document.find_pointer(to.substr(1), ec) != nullptr, to);
        else
            BOOST_TEST(std::count_if(names.begin(), names.end(),
                                     [&](const auto& each) { return to == "./json/" + each + ".schema.json"; }) == 1,
                       to);
    };
    visit(document, check);
}

BOOST_AUTO_TEST_SUITE_END()
