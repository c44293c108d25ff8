// The hooks between nats.c and the io_context, with a connection of their own.
#include "tests/integration/broker_fixture.hpp"

#include "broker/nats/event_loop.hpp"

#include <atomic>
#include <filesystem>
#include <iterator>
#include <thread>

namespace
{

using namespace marquee;
using namespace marquee::test;

natsStatus connect_with(detail::event_loop& loop, const std::string& url, natsConnection*& nc)
{
    natsOptions* options = nullptr;
    auto status = natsOptions_Create(&options);
    if (status == NATS_OK)
        status = natsOptions_SetURL(options, url.c_str());
    if (status == NATS_OK)
        status = natsOptions_SetAllowReconnect(options, false);
    if (status == NATS_OK)
        status = natsOptions_SetSendAsap(options, true);
    if (status == NATS_OK)
        status = loop.install(options);
    if (status == NATS_OK)
        status = natsConnection_Connect(&nc, options);
    natsOptions_Destroy(options);
    return status;
}

std::ptrdiff_t open_files() { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); }

/// A connection that another thread makes, as nats_link does after the first one, and whose socket
/// waits to be adopted by a loop on `io`.
struct connected_aside
{
    connected_aside(asio::io_context& io, const std::string& url)
        : loop(std::make_shared<detail::event_loop>(io, detail::event_loop::handlers{[] {}, [](bool) {}, {}, {}}))
    {
        natsStatus status = NATS_ERR;
        std::thread connector(
            [&]
            {
                status = connect_with(*loop, url, nc);
                nats_ReleaseThreadMemory();
            });
        connector.join();
        BOOST_TEST_REQUIRE(status == NATS_OK);
    }
    ~connected_aside()
    {
        loop->shut();
        natsConnection_Close(nc);
        natsConnection_Destroy(nc);
    }
    connected_aside(const connected_aside&) = delete;
    connected_aside& operator=(const connected_aside&) = delete;

    std::shared_ptr<detail::event_loop> loop;
    natsConnection* nc = nullptr;
};

struct loop_fixture : broker_fixture
{
    loop_fixture()
    {
        const auto status = connect_with(*loop, server.url(), nc);
        loop->start(nc, status == NATS_OK);
        BOOST_TEST_REQUIRE(loop->up());
    }
    ~loop_fixture()
    {
        loop->shut();
        natsConnection_Close(nc);
        natsConnection_Destroy(nc);
    }

    /// Runs the loop while a thread waits for the broker's answer to a ping, ten seconds at most.
    bool broker_answers()
    {
        std::atomic<bool> ended = false;
        natsStatus status = NATS_ERR;
        std::thread asking(
            [&]
            {
                status = natsConnection_FlushTimeout(nc, 10000);
                nats_ReleaseThreadMemory();
                ended = true;
            });
        while (!ended)
            io.run_one_for(10ms);
        asking.join();
        return status == NATS_OK;
    }

    int downs = 0;
    std::shared_ptr<detail::event_loop> loop = std::make_shared<detail::event_loop>(
        io, detail::event_loop::handlers{[] {}, [this](bool up) { downs += up ? 0 : 1; }, {}, {}});
    natsConnection* nc = nullptr;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(event_loop_, loop_fixture)

// As when nats.c's ping timer asks for a write while the io thread ends one: two writes are under
// way, and the first takes it all.
BOOST_AUTO_TEST_CASE(a_write_that_finds_nothing_left_to_write_leaves_the_link_up)
{
    for (int i = 0; i < 3; ++i)
    {
        BOOST_TEST(natsConnection_PublishString(nc, "somewhere", "once") == NATS_OK);
        loop->write_now();
        BOOST_TEST(natsConnection_PublishString(nc, "somewhere", "twice") == NATS_OK);
        BOOST_TEST(broker_answers());
    }
    BOOST_TEST(loop->up());
    BOOST_TEST(downs == 0);
}

BOOST_AUTO_TEST_CASE(a_socket_that_is_not_adopted_before_the_loop_is_shut_is_closed)
{
    const auto before = open_files();
    for (int i = 0; i < 8; ++i)
    {
        asio::io_context other(1);
        {
            const connected_aside one(other, server.url());
        }
        if (i % 2 == 0) // else what was posted is destroyed with the io_context
            other.poll();
    }
    for (const auto end = deadline::in(10s); open_files() > before && !end.passed();)
        io.run_one_for(10ms); // nats.c closes its own socket on a thread of its own
    BOOST_TEST(open_files() == before);
}

BOOST_AUTO_TEST_SUITE_END()
