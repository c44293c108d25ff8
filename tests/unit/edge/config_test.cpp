#include "edge/config.hpp"
#include "edge/server/listen.hpp"

#include <boost/program_options/parsers.hpp>
#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace std::chrono_literals;
namespace po = boost::program_options;

namespace
{

result<edge_config> read(const std::vector<std::string>& arguments)
{
    po::options_description options;
    add_edge_options(options);
    po::variables_map given;
    po::store(po::command_line_parser(arguments).options(options).run(), given);
    return read_edge_config(given);
}

} // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(an_address_is_a_host_and_a_port)
{
    const std::tuple<const char*, const char*, int> table[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080}, {"[::1]:0", "::1", 0}, {"localhost:65535", "localhost", 65535}};
    for (const auto& [text, host, port] : table)
        BOOST_TEST_CONTEXT(text)
        {
            const auto address = parse_listen_address(text).value();
            BOOST_TEST(address.host == host);
            BOOST_TEST(address.port == port);
        }
    for (const auto* text :
         {"", "8080", ":8080", "host", "host:", "host:x", "host:65536", "host:-1", "::1:80", "[]:80", "[::1]"})
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(parse_listen_address(text).has_error()); }
}

BOOST_AUTO_TEST_CASE(defaults_are_those_of_the_contract)
{
    const auto config = read({}).value();
    BOOST_TEST(config.listen.host == "127.0.0.1");
    BOOST_TEST(config.listen.port == 8080);
    BOOST_TEST(config.threads == 1U);
    BOOST_TEST((config.timeout == 2s));
    BOOST_TEST((config.drain_timeout == 10s));
    BOOST_TEST(config.admin_token_file.empty());
    BOOST_TEST(config.jwt.key_file.empty());
    BOOST_TEST(config.max_connections == 10000U);
    BOOST_TEST(config.max_in_flight == 1024U);
    BOOST_TEST(!config.limits.rates.address);
    BOOST_TEST(!config.limits.rates.user);
    BOOST_TEST(config.limits.rates.trusted_proxies.empty());
}

BOOST_AUTO_TEST_CASE(a_bad_value_names_its_option)
{
    const std::pair<const char*, const char*> table[] = {{"listen", "x"},
                                                         {"threads", "0"},
                                                         {"threads", "257"},
                                                         {"timeout", "0"},
                                                         {"drain-timeout", "x"},
                                                         {"max-connections", "0"},
                                                         {"max-in-flight", "-1"},
                                                         {"batch-views", "on"},
                                                         {"rate-address", "0"},
                                                         {"rate-user", "x"},
                                                         {"trusted-proxy", "10.0.0.0/8,x"},
                                                         {"trusted-proxy", "10.0.0.0/8,"},
                                                         {"cors-origin", "shop.example"},
                                                         {"max-connections-per-address", "-1"},
                                                         {"max-requests-per-connection", "x"},
                                                         {"max-header-bytes", "255"},
                                                         {"max-header-fields", "0"},
                                                         {"max-target-bytes", "15"},
                                                         {"max-body-bytes", "1073741825"},
                                                         {"header-timeout", "0"},
                                                         {"body-timeout", "x"},
                                                         {"write-timeout", "2h"},
                                                         {"idle-timeout", "61m"},
                                                         {"jwt-issuer", "x"},
                                                         {"jwt-audience", "x"}};
    for (const auto& [option, value] : table)
        BOOST_TEST_CONTEXT(option << " " << value)
        {
            auto config = read({std::string("--") + option + "=" + value});
            BOOST_REQUIRE(config.has_error());
            BOOST_TEST(config.error().field == option);
            BOOST_TEST(config.error().detail.find(std::string("--") + option) == 0U);
        }
}

BOOST_AUTO_TEST_CASE(limits_of_a_connection_have_the_defaults_of_a_session_unless_set)
{
    const session_settings usual;
    const auto session = read({}).value().limits.session;
    BOOST_TEST(session.requests == usual.requests);
    BOOST_TEST(session.body.body_bytes == usual.body.body_bytes);
    BOOST_TEST(session.buffer_bytes == usual.buffer_bytes);
    BOOST_TEST(session.head.header_bytes == usual.head.header_bytes);
    BOOST_TEST(session.head.target_bytes == usual.head.target_bytes);
    BOOST_TEST(session.head.field_count == usual.head.field_count);
    BOOST_TEST((session.header_timeout == usual.header_timeout));
    BOOST_TEST((session.body_timeout == usual.body_timeout));
    BOOST_TEST((session.write_timeout == usual.write_timeout));
    BOOST_TEST((session.answer_timeout == usual.answer_timeout));
    BOOST_TEST((session.idle_timeout == usual.idle_timeout));
    BOOST_TEST(read({}).value().limits.max_connections_per_address == 0U);

    const auto other =
        read({"--max-requests-per-connection=5", "--max-header-bytes=65536", "--max-header-fields=7",
              "--max-target-bytes=99", "--max-body-bytes=0", "--header-timeout=1s", "--body-timeout=2s",
              "--write-timeout=3s", "--answer-timeout=5s", "--idle-timeout=4s", "--max-connections-per-address=6"})
            .value();
    BOOST_TEST(other.limits.session.requests == 5U);
    BOOST_TEST(other.limits.session.head.header_bytes == 65536U);
    BOOST_TEST(other.limits.session.buffer_bytes == 131072U); // always holds a request head
    BOOST_TEST(other.limits.session.head.field_count == 7U);
    BOOST_TEST(other.limits.session.head.target_bytes == 99U);
    BOOST_TEST(other.limits.session.body.body_bytes == 0U);
    BOOST_TEST((other.limits.session.header_timeout == 1s));
    BOOST_TEST((other.limits.session.body_timeout == 2s));
    BOOST_TEST((other.limits.session.write_timeout == 3s));
    BOOST_TEST((other.limits.session.answer_timeout == 5s));
    BOOST_TEST((other.limits.session.idle_timeout == 4s));
    BOOST_TEST(other.limits.max_connections_per_address == 6U);
}

BOOST_AUTO_TEST_CASE(networks_may_be_listed_and_repeated)
{
    const auto config = read({"--trusted-proxy=10.0.0.0/8, ::1", "--trusted-proxy", "192.0.2.1"}).value();
    for (const auto* inside : {"10.1.2.3", "::1", "192.0.2.1"})
        BOOST_TEST(config.limits.rates.trusted_proxies.contains(client_address::parse(inside).value()), inside);
    BOOST_TEST(!config.limits.rates.trusted_proxies.contains(client_address::parse("192.0.2.2").value()));
}

BOOST_AUTO_TEST_CASE(keys_have_an_expected_issuer_and_audience)
{
    const auto config = read({"--jwt-key=file", "--jwt-issuer=i", "--jwt-audience=a"}).value();
    BOOST_TEST(config.jwt.key_file == "file");
    BOOST_TEST(config.jwt.expected.issuer == "i");
    BOOST_TEST(config.jwt.expected.audience == "a");
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_an_error_although_listeners_share_ports)
{
    asio::io_context io(1);
    auto at = resolve_listen_address({"127.0.0.1", 0}).value();
    auto first = listen_on(io, at);
    BOOST_REQUIRE(first.has_value());
    at = first->local_endpoint();
    BOOST_TEST(listen_on(io, at).has_value()); // a second thread
    auto free = check_port_is_free(at);
    BOOST_REQUIRE(free.has_error());
    BOOST_TEST(free.error().detail == "cannot listen on " + to_text(at) + ": the port is taken");
}

BOOST_AUTO_TEST_CASE(a_bound_address_is_written_as_an_option_value)
{
    BOOST_TEST(to_text(resolve_listen_address({"::1", 80}).value()) == "[::1]:80");
    BOOST_TEST(to_text(resolve_listen_address({"127.0.0.1", 80}).value()) == "127.0.0.1:80");
}

BOOST_AUTO_TEST_SUITE_END()
