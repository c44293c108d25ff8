// nats.c as broker/ sees it. No other folder includes this, but for a test of it.
#pragma once

#include <nats/nats.h>

#if MARQUEE_NATS_FILTER
// Exported by the library and used by its own tests, but declared in no public header: see CMakeLists.txt for the check.
extern "C" void natsConn_setFilterWithClosure(natsConnection* nc, void (*filter)(natsConnection*, natsMsg**, void*),
                                              void* closure);
#endif

namespace marquee::detail
{

/// Owns a nats.c object through its destroy function.
template <class T, void (*Destroy)(T*)>
struct c_deleter
{
    void operator()(T* p) const noexcept { Destroy(p); }
};

} // namespace marquee::detail
