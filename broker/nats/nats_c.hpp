// nats.c. Included by broker/nats and its tests only.
#pragma once

#include <nats/nats.h>

#if MARQUEE_NATS_FILTER
// Exported by the library for its own tests and declared in no public header; CMakeLists.txt checks
// that it is there.
extern "C" void natsConn_setFilterWithClosure(natsConnection* nc, void (*filter)(natsConnection*, natsMsg**, void*),
                                              void* closure);
#endif
