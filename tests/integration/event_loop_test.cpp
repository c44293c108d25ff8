// The hooks between nats.c and the io_context, with a connection of their own.
#include "tests/integration/broker_fixture.hpp"

#include "broker/event_loop.hpp"

#include <atomic>
#include <thread>

namespace
{

using namespace marquee;
using namespace marquee::test;

struct loop_fixture : broker_fixture
{
    loop_fixture()
    {
        natsOptions* options = nullptr;
        BOOST_TEST_REQUIRE(natsOptions_Create(&options) == NATS_OK);
        BOOST_TEST_REQUIRE(natsOptions_SetURL(options, server.url().c_str()) == NATS_OK);
        BOOST_TEST_REQUIRE(natsOptions_SetAllowReconnect(options, false) == NATS_OK);
        BOOST_TEST_REQUIRE(natsOptions_SetSendAsap(options, true) == NATS_OK);
        BOOST_TEST_REQUIRE(loop->install(options) == NATS_OK);
        const auto status = natsConnection_Connect(&nc, options);
        natsOptions_Destroy(options);
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
        io, detail::event_loop::handlers{[] {}, [this](bool up) { downs += up ? 0 : 1; }, {}});
    natsConnection* nc = nullptr;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(event_loop_, loop_fixture)

// As when nats.c's ping timer asks for a write while the io thread ends one: two writes are under way, and the first takes it all.
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

BOOST_AUTO_TEST_SUITE_END()
