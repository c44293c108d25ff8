// One system for all cases of a suite that do not disturb each other.
#pragma once

#include "tests/support/marquee_system.hpp"
#include "tests/support/nats_client.hpp"

#include <memory>
#include <utility>

namespace marquee::test
{

/// The fixture of a suite: BOOST_AUTO_TEST_SUITE(name,
/// *boost::unit_test::fixture<shared_system<with>>()), where `with` returns the settings. Cases
/// reach it through the static members.
template <marquee_system::settings (*with)()>
struct shared_system
{
    shared_system()
    {
        system = std::make_unique<marquee_system>(with());
        client = std::make_unique<nats_client>(system->broker().url());
    }
    ~shared_system()
    {
        client.reset();
        system.reset();
    }
    shared_system(const shared_system&) = delete;
    shared_system& operator=(const shared_system&) = delete;

    static inline std::unique_ptr<marquee_system> system;
    static inline std::unique_ptr<nats_client> client;
};

} // namespace marquee::test
