// Threads that serve TLS while its certificate changes under them. What TLS is spoken is for the
// end-to-end tests.
#include "tests/support/certificates.hpp"
#include "tests/support/tls_client.hpp"
#include "tests/unit/edge/client.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace marquee;
using namespace marquee::test;

namespace
{

class two_threads
{
public:
    two_threads()
    {
        BOOST_REQUIRE(::mkdtemp(folder_.data()) != nullptr);
        change("first");
        auto made = tls_credentials::from(files());
        BOOST_REQUIRE(made.has_value());
        credentials = std::move(*made);
        for (auto* each : {&kits[0], &kits[1]})
            threads_.emplace_back([this, each] { serve(*each); });
        for (auto& each : kits)
            while (each.at.load() == 0)
                std::this_thread::yield();
    }

    ~two_threads()
    {
        for (auto& each : kits)
            each.io.stop();
        for (auto& each : threads_)
            each.join();
        std::filesystem::remove_all(folder_);
    }
    two_threads(const two_threads&) = delete;
    two_threads& operator=(const two_threads&) = delete;

    void change(const std::string& name) const
    {
        const auto pair = authority.issue({.name = name});
        std::ofstream(files().certificate) << pair.pem();
        std::ofstream(files().key) << pair.key_pem();
    }

    [[nodiscard]] tls_files files() const { return {folder_ + "/cert.pem", folder_ + "/key.pem"}; }

    struct kit
    {
        asio::io_context io{1};
        std::atomic<int> at{0}; ///< the port
    };

    certificate_authority authority;
    std::unique_ptr<tls_credentials> credentials;
    std::array<kit, 2> kits;
    connection_limit limit{100};

private:
    void serve(kit& of)
    {
        session_settings settings;
        asio::ip::tcp::acceptor acceptor(of.io, {asio::ip::address_v4::loopback(), 0});
        const int port = acceptor.local_endpoint().port();
        http_handler handler = [](http_request request) -> asio::awaitable<http_response>
        {
            http_response answer;
            answer.body = request.target;
            co_return answer;
        };
        http_server server(of.io, std::move(acceptor), settings, handler, limit, credentials.get());
        server.start();
        of.at = port;
        of.io.run();
    }

    std::string folder_ = (std::filesystem::temp_directory_path() / "marquee_tls_XXXXXX").string();
    std::vector<std::thread> threads_;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(tls, two_threads)

BOOST_AUTO_TEST_CASE(certificates_change_during_handshakes_on_two_threads)
{
    std::atomic<bool> done{false};
    std::thread operator_of_it(
        [&]
        {
            for (int i = 0; !done; ++i)
            {
                change("number " + std::to_string(i));
                credentials->reload();
            }
        });
    std::array<int, 2> answered{};
    std::vector<std::thread> clients;
    for (std::size_t i = 0; i < 2; ++i)
        clients.emplace_back(
            [&, i]
            {
                for (int n = 0; n < 100; ++n)
                {
                    tls_connection link(kits[i].at, {.trusted = authority.pem()});
                    link.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                    if (link.wait_for_end() && link.got_close_notify() && link.received().ends_with("\r\n\r\n/x"))
                        ++answered[i];
                }
            });
    for (auto& each : clients)
        each.join();
    done = true;
    operator_of_it.join();
    BOOST_TEST(answered[0] == 100);
    BOOST_TEST(answered[1] == 100);

    change("last");
    credentials->reload();
    for (const auto& each : kits)
    {
        tls_connection link(each.at, {.trusted = authority.pem()});
        BOOST_TEST(link.handshake());
        BOOST_TEST(link.subject() == "last");
    }
}

BOOST_AUTO_TEST_SUITE_END()
