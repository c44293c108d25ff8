// A link that is cut within a message.
#include "tests/integration/broker_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace
{

using namespace marquee;
using namespace marquee::test;
using tcp = asio::ip::tcp;

void log_nothing(const std::exception_ptr&) {}

/// Passes on what both sides say; once `cut_after` is set, so many bytes more from the broker, and
/// then nothing.
class cutter
{
public:
    cutter(asio::io_context& io, int broker_port)
        : io_(io), acceptor_(io, {asio::ip::address_v4::loopback(), 0}),
          broker_(asio::ip::address_v4::loopback(), static_cast<unsigned short>(broker_port))
    {
        asio::co_spawn(io_, accept(), log_nothing);
    }

    [[nodiscard]] std::string url() const
    {
        return "nats://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    }

    std::optional<std::size_t> cut_after;
    int links = 0;

    void stop()
    {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
    }

private:
    asio::awaitable<void> accept()
    {
        for (;;)
        {
            auto client = std::make_shared<tcp::socket>(co_await acceptor_.async_accept(asio::use_awaitable));
            auto broker = std::make_shared<tcp::socket>(io_);
            co_await broker->async_connect(broker_, asio::use_awaitable);
            ++links;
            asio::co_spawn(io_, relay(client, broker, false), log_nothing);
            asio::co_spawn(io_, relay(broker, client, true), log_nothing);
        }
    }

    asio::awaitable<void> relay(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to, bool from_broker)
    {
        std::array<char, 4096> some{};
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        while (!ec)
        {
            const auto space = asio::buffer(some);
            auto size = co_await from->async_read_some(space, token);
            const bool cut = from_broker && cut_after && size >= *cut_after;
            if (cut)
                size = *std::exchange(cut_after, std::nullopt);
            else if (from_broker && cut_after)
                *cut_after -= size;
            const auto part = asio::buffer(some.data(), size);
            if (size > 0)
                co_await asio::async_write(*to, part, token);
            if (cut)
                break;
        }
        boost::system::error_code ignored;
        from->close(ignored);
        to->close(ignored);
    }

    asio::io_context& io_;
    tcp::acceptor acceptor_;
    tcp::endpoint broker_;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cut_link, broker_fixture)

BOOST_AUTO_TEST_CASE(a_link_cut_at_any_place_within_a_message_is_followed_by_one_that_works)
{
    // Within the subject, the sizes, the payload, and the line end of `MSG large 1 20000`.
    for (const std::size_t place : {2U, 6U, 13U, 500U, 15000U, 20018U, 20019U})
        BOOST_TEST_CONTEXT("cut after " << place << " bytes")
        {
            cutter between(io, server.port());
            auto through = options();
            through.servers = {between.url()};
            auto sender = connect();
            // The first attempt blocks the thread that the cutter needs: so in the background.
            through.wait_for_server = true;
            auto nats = connect(through);
            run(
                [&]() -> asio::awaitable<void>
                {
                    auto up = link_is(*nats, true);
                    BOOST_REQUIRE(co_await std::move(up));
                    std::vector<std::size_t> sizes;
                    signal arrived(io);
                    auto sub = nats->subscribe("large", {},
                                               [&](message m)
                                               {
                                                   sizes.push_back(m.data.size());
                                                   arrived.notify();
                                               });
                    BOOST_REQUIRE(sub.has_value());
                    auto known = nats->flush(deadline::in(5s));
                    BOOST_REQUIRE(co_await std::move(known));

                    between.cut_after = place;
                    BOOST_REQUIRE(sender->publish("large", std::string(20000, 'x')).has_value());
                    auto down = link_is(*nats, false);
                    BOOST_REQUIRE(co_await std::move(down));
                    auto again = link_is(*nats, true);
                    BOOST_REQUIRE(co_await std::move(again));
                    auto back = nats->flush(deadline::in(5s));
                    BOOST_REQUIRE(co_await std::move(back));
                    BOOST_TEST(between.links == 2);

                    BOOST_REQUIRE(sender->publish("large", std::string(7, 'y')).has_value());
                    std::function<bool()> here = [&] { return !sizes.empty(); };
                    auto waiting = arrived.until(here);
                    BOOST_REQUIRE(co_await std::move(waiting));
                    BOOST_TEST(sizes == std::vector<std::size_t>{7U}, boost::test_tools::per_element());
                    between.stop();
                    auto closing = nats->close(deadline::in(2s));
                    co_await std::move(closing);
                });
        }
}

BOOST_AUTO_TEST_SUITE_END()
