// testssl.sh looks at the TLS listener. It takes minutes: with MARQUEE_FULL set only.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/full_size.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <sstream>

using namespace marquee::test;

namespace
{

std::string text_of(const std::string& file)
{
    std::stringstream all;
    all << std::ifstream(file).rdbuf();
    return all.str();
}

/// The edge with a certificate of `kind`, and what testssl.sh finds.
boost::json::array findings(const certificate_authority::settings& wanted)
{
    const temporary_folder folder;
    const certificate_authority authority;
    const auto pair = authority.issue(wanted);
    marquee_system::settings with;
    with.start = {"edge"};
    with.extra["edge"] = {"--tls-cert", folder.write("cert.pem", pair.pem()), "--tls-key",
                          folder.write("key.pem", pair.key_pem())};
    const marquee_system system(with);

    process tool("/usr/bin/testssl",
                 {"--quiet", "--color", "0", "--warnings", "off", "--add-ca", folder.write("ca.pem", authority.pem()),
                  "--ip", "127.0.0.1", "--jsonfile", folder.file("found.json"),
                  "https://localhost:" + std::to_string(system.port()) + "/healthz"});
    const auto code = tool.wait(std::chrono::minutes(20));
    BOOST_TEST_REQUIRE(code.has_value());
    BOOST_TEST_REQUIRE(tool.output().find(" Done ") != std::string::npos, tool.output());
    return boost::json::parse(text_of(folder.file("found.json"))).as_array();
}

} // namespace

BOOST_AUTO_TEST_SUITE(testssl)

BOOST_AUTO_TEST_CASE(testssl_finds_nothing_of_severity_medium_or_above)
{
    if (!is_full())
    {
        BOOST_TEST_MESSAGE("not run: MARQUEE_FULL is not set");
        return;
    }
    const std::set<std::string> harmless = {"OK", "INFO", "LOW", "WARN"}; // WARN: what the tool could not do
    for (const certificate_authority::settings& wanted :
         {certificate_authority::settings{.until = 90 * 86'400},
          certificate_authority::settings{.kind = "RSA", .bits = 2048, .until = 90 * 86'400}})
        BOOST_TEST_CONTEXT(wanted.kind)
        {
            const auto all = findings(wanted);
            BOOST_TEST(all.size() > 100U);
            std::map<std::string, std::string> seen;
            for (const auto& each : all)
            {
                const auto& one = each.as_object();
                const std::string id(one.at("id").as_string());
                const std::string severity(one.at("severity").as_string());
                seen.emplace(id, one.at("finding").as_string());
                BOOST_TEST(harmless.count(severity) == 1U,
                           severity << " " << id << ": " << one.at("finding").as_string());
                BOOST_TEST_MESSAGE(wanted.kind << ' ' << severity << ' ' << id << ": "
                                               << one.at("finding").as_string());
            }
            for (const auto* looked_at : {"TLS1", "TLS1_2", "TLS1_3", "heartbleed", "ROBOT", "secure_client_renego",
                                          "BREACH", "LUCKY13", "cert_chain_of_trust", "PFS"})
                BOOST_TEST(seen.count(looked_at) == 1U, looked_at << " was not looked at");
            for (const auto* old : {"SSLv2", "SSLv3", "TLS1", "TLS1_1"}) // of which the tool thinks no worse than LOW
                BOOST_TEST(seen[old] == "not offered", old << ": " << seen[old]);
        }
}

BOOST_AUTO_TEST_SUITE_END()
