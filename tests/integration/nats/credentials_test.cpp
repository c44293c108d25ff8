// Every way natscli offers to say who one is, against a server that insists on it.
#include "tests/integration/broker_fixture.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace
{

using namespace marquee;
using namespace marquee::test;
namespace fs = std::filesystem;

/// A folder of its own, gone at the end.
class scratch
{
public:
    scratch()
    {
        std::string pattern = (fs::temp_directory_path() / "marquee_credentials_XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~scratch() { fs::remove_all(path_); }
    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
    std::string write(const std::string& name, const std::string& text) const
    {
        std::ofstream(file(name)) << text;
        return file(name);
    }

private:
    fs::path path_;
};

void require(const std::string& command)
{
    BOOST_REQUIRE_MESSAGE(std::system((command + " >/dev/null 2>&1").c_str()) == 0, command);
}

/// Connects, makes one round trip.
bool works(const connection_options& o)
{
    asio::io_context io(1);
    auto nats = connection::open(io, o);
    if (nats.has_error())
        return false;
    bool answered = false;
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 auto flushed = (*nats)->flush(deadline::in(5s));
                 answered = co_await std::move(flushed);
             });
    return answered;
}

connection_options to(const nats_server& server)
{
    connection_options o;
    o.servers = {server.url()};
    return o;
}

/// A broker as far as a client's first PING: each connection gets the next of these nonces, and is
/// let in if it signs.
class nonce_server
{
public:
    explicit nonce_server(std::vector<std::string> nonces)
        : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
          serving_([this, given = std::move(nonces)] { serve(given); })
    {
    }
    ~nonce_server()
    {
        ::shutdown(acceptor_.native_handle(), SHUT_RDWR); // who was not asked stops waiting
        serving_.join();
    }
    nonce_server(const nonce_server&) = delete;
    nonce_server& operator=(const nonce_server&) = delete;

    [[nodiscard]] std::string url() { return "nats://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

private:
    void serve(const std::vector<std::string>& nonces)
    {
        for (const auto& nonce : nonces)
        {
            asio::ip::tcp::socket client(io_);
            boost::system::error_code ec;
            acceptor_.accept(client, ec);
            if (ec)
                return;
            say(client, R"(INFO {"server_id":"S","version":"2.10.27","proto":1,"max_payload":1048576,"headers":true,)"
                        R"("auth_required":true,"nonce":")" +
                            nonce + "\"}\r\n");
            const bool is_signed = heard(client, "PING\r\n").find(R"("sig":")") != std::string::npos;
            say(client, is_signed ? "PONG\r\n" : "-ERR 'Authorization Violation'\r\n");
            if (is_signed)
                heard(client, {}); // until it leaves
        }
    }

    static void say(asio::ip::tcp::socket& to, const std::string& text) { asio::write(to, asio::buffer(text)); }

    /// All that comes up to `end`, or to the end of the connection.
    static std::string heard(asio::ip::tcp::socket& from, const std::string& end)
    {
        std::string all;
        boost::system::error_code ec;
        if (end.empty())
            asio::read(from, asio::dynamic_buffer(all), ec);
        else
            asio::read_until(from, asio::dynamic_buffer(all), end, ec);
        return all;
    }

    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_;
    std::thread serving_;
};

constexpr const char* seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
constexpr const char* public_key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

} // namespace

BOOST_AUTO_TEST_SUITE(credentials)

BOOST_AUTO_TEST_CASE(a_user_and_password_are_accepted_and_a_wrong_password_is_not)
{
    nats_server server("authorization { user: joe, password: geheim }");
    auto o = to(server);
    BOOST_TEST(!works(o));
    o.user = "joe";
    o.password = "wrong";
    BOOST_TEST(!works(o));
    o.password = "geheim";
    BOOST_TEST(works(o));
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_server_and_never_the_secret)
{
    nats_server server("authorization { user: joe, password: geheim }");
    auto o = to(server);
    o.user = "joe";
    o.password = "verraten";
    asio::io_context io(1);
    auto opened = connection::open(io, o);
    BOOST_REQUIRE(opened.has_error());
    BOOST_TEST(opened.error().detail.find(server.url()) != std::string::npos, opened.error().detail);
    BOOST_TEST(opened.error().detail.find("verraten") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_token_is_accepted)
{
    nats_server server("authorization { token: geheim }");
    auto o = to(server);
    BOOST_TEST(!works(o));
    o.token = "geheim";
    BOOST_TEST(works(o));
}

BOOST_AUTO_TEST_CASE(a_seed_file_alone_is_enough_for_an_nkey)
{
    scratch dir;
    nats_server server(std::string("authorization { users: [ { nkey: ") + public_key + " } ] }");
    auto o = to(server);
    BOOST_TEST(!works(o));
    o.nkey_file = dir.write("user.nk", std::string(seed) + "\n");
    BOOST_TEST(works(o));
}

BOOST_AUTO_TEST_CASE(a_signature_that_nats_c_does_not_send_is_made_again)
{
    scratch dir;
    nonce_server server(
        {"HOtq9rigM_p9Wdo", "AAAAAAAAAAAAAAA"}); // this seed's signature of the first begins with a zero byte
    connection_options o;
    o.servers = {server.url()};
    o.nkey_file = dir.write("user.nk", std::string(seed) + "\n");
    asio::io_context io(1);
    auto opened = connection::open(io, o);
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST((*opened)->connected());
}

BOOST_AUTO_TEST_CASE(credential_files_that_cannot_be_used_are_named)
{
    nats_server server;
    for (auto member : {&connection_options::nkey_file, &connection_options::tls_ca_file})
    {
        auto o = to(server);
        o.*member = "/nonexistent/file";
        asio::io_context io(1);
        auto opened = connection::open(io, o);
        BOOST_REQUIRE(opened.has_error());
        BOOST_TEST((opened.error() == errc::bad_request));
    }
}

BOOST_AUTO_TEST_CASE(tls_with_a_client_certificate_works_and_survives_a_restart)
{
    scratch dir;
    const auto ca = dir.file("ca.pem");
    const auto ca_key = dir.file("ca.key");
    require("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout " + ca_key + " -out " + ca);
    const auto extensions = dir.write("ext", "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    for (const std::string name : {"server", "client"})
    {
        require("openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout " + dir.file(name + ".key") +
                " -out " + dir.file(name + ".csr"));
        require("openssl x509 -req -days 2 -in " + dir.file(name + ".csr") + " -CA " + ca + " -CAkey " + ca_key +
                " -CAcreateserial -extfile " + extensions + " -out " + dir.file(name + ".pem"));
    }
    nats_server server("tls { cert_file: \"" + dir.file("server.pem") + "\", key_file: \"" + dir.file("server.key") +
                       "\", ca_file: \"" + ca + "\", verify: true }");
    auto o = to(server);
    o.tls_ca_file = ca;
    BOOST_TEST(!works(o)); // the server wants a certificate
    o.tls_cert_file = dir.file("client.pem");
    o.tls_key_file = dir.file("client.key");
    BOOST_TEST(works(o));

    asio::io_context io(1);
    o.reconnect_wait = 20ms;
    auto nats = connection::open(io, o);
    BOOST_REQUIRE(nats.has_value());
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 server.kill();
                 auto down = link_is(**nats, false);
                 BOOST_REQUIRE(co_await std::move(down));
                 server.restart();
                 auto up = link_is(**nats, true);
                 BOOST_REQUIRE(co_await std::move(up));
                 auto flushed = (*nats)->flush(deadline::in(5s));
                 BOOST_TEST(co_await std::move(flushed));
             });
}

BOOST_AUTO_TEST_CASE(replies_come_to_the_inbox_prefix_that_was_given)
{
    // The server allows this user nothing but its own inbox.
    nats_server server("authorization { users: [ { user: a, password: a, permissions: { publish: [\"_INBOX_A.>\", "
                       "\"echo\"], subscribe: "
                       "[\"_INBOX_A.>\", \"echo\"] } } ] }");
    auto o = to(server);
    o.user = o.password = "a";
    o.inbox_prefix = "_INBOX_A";
    BOOST_TEST(works(o));
}

BOOST_AUTO_TEST_SUITE_END()
