#include "broker/supervisor.hpp"

#include "broker/log.hpp"

#include <systemd/sd-daemon.h>

#include <system_error>

namespace marquee
{

namespace
{

void tell(const char* state)
{
    const int sent = ::sd_notify(0, state);
    if (sent < 0)
        log(log_level::warning, "the supervisor cannot be told",
            {{"state", state}, {"reason", std::generic_category().message(-sent)}});
}

} // namespace

void tell_supervisor_ready() { tell("READY=1"); }
void tell_supervisor_stopping() { tell("STOPPING=1"); }

} // namespace marquee
