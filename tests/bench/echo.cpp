// marquee-bench-echo SERVER BODY: answers every request on echo.get.* with BODY, on echo.headed.*
// with a revision besides: what an answer costs without a service around it.
#include "broker/base/log.hpp"
#include "broker/nats/connection.hpp"
#include "schemas/subjects.hpp"

#include <iostream>

int main(int argc, char** argv)
{
    using namespace marquee;
    if (argc != 3)
    {
        std::cerr << "marquee-bench-echo SERVER BODY\n";
        return 2;
    }
    const std::string body = argv[2];
    connection_options options;
    options.name = "marquee-bench-echo";
    options.servers = {argv[1]};
    asio::io_context io(1);
    auto nats = connection::open(io, options);
    if (nats.has_error())
    {
        std::cerr << nats.error().detail << '\n';
        return 1;
    }
    header_list revision;
    revision.set(names::header_revision, "12345");
    const auto bare =
        (*nats)->subscribe("echo.get.*", "q", [&](const message& m) { (void)(*nats)->publish(m.reply, body); });
    const auto headed = (*nats)->subscribe("echo.headed.*", "q",
                                           [&](const message& m) { (void)(*nats)->publish(m.reply, body, revision); });
    if (bare.has_error() || headed.has_error())
        return 1;
    log(log_level::info, "ready");
    io.run();
}
