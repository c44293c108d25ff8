// What a supervisor that set NOTIFY_SOCKET (systemd with Type=notify) is told: once that this process serves, once that it stops.
#pragma once

namespace marquee
{

/// Both do nothing where no supervisor asked, and log a warning where it cannot be reached. Any thread.
void tell_supervisor_ready();
void tell_supervisor_stopping();

} // namespace marquee
