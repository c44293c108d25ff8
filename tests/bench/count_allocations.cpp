// Preloaded into a program that uses jemalloc, counts its allocations. Replaces the functions that
// allocate, which call jemalloc's; those that free are jemalloc's own.
#include "tests/bench/allocation_counts.hpp"

#include <jemalloc/jemalloc.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace
{

using marquee::bench::allocation_counts;

allocation_counts before_main;
allocation_counts* counts = &before_main; // of this process; in a file once it is there

void* count(std::size_t size, void* memory) noexcept
{
    __atomic_fetch_add(&counts->calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&counts->bytes, size, __ATOMIC_RELAXED);
    return memory;
}

void* take(std::size_t size, int flags = 0) noexcept { return count(size, ::mallocx(size == 0 ? 1 : size, flags)); }

void* take_or_throw(std::size_t size, int flags = 0)
{
    if (void* memory = take(size, flags))
        return memory;
    throw std::bad_alloc();
}

int aligned(std::align_val_t alignment) noexcept { return MALLOCX_ALIGN(static_cast<std::size_t>(alignment)); }

[[gnu::constructor]] void share_counts()
{
    const char* folder = std::getenv(marquee::bench::allocation_folder);
    char path[4096];
    if (folder == nullptr ||
        std::snprintf(path, sizeof path, "%s/%d", folder, ::getpid()) >= static_cast<int>(sizeof path))
        return;
    const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ::ftruncate(file, sizeof(allocation_counts)) != 0)
        return;
    void* shared = ::mmap(nullptr, sizeof(allocation_counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (shared != MAP_FAILED)
        counts = static_cast<allocation_counts*>(shared);
}

} // namespace

extern "C"
{
    void* malloc(std::size_t size) noexcept { return take(size); }

    void* calloc(std::size_t number, std::size_t size) noexcept
    {
        std::size_t all = 0;
        if (__builtin_mul_overflow(number, size, &all))
            return nullptr;
        return take(all, MALLOCX_ZERO);
    }

    void* realloc(void* memory, std::size_t size) noexcept
    {
        if (memory == nullptr)
            return take(size);
        return count(size, ::rallocx(memory, size == 0 ? 1 : size, 0));
    }

    void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept
    {
        return take(size, MALLOCX_ALIGN(alignment));
    }

    int posix_memalign(void** to, std::size_t alignment, std::size_t size) noexcept
    {
        *to = take(size, MALLOCX_ALIGN(alignment));
        return *to == nullptr ? ENOMEM : 0;
    }
}

void* operator new(std::size_t size) { return take_or_throw(size); }
void* operator new[](std::size_t size) { return take_or_throw(size); }
void* operator new(std::size_t size, std::align_val_t to) { return take_or_throw(size, aligned(to)); }
void* operator new[](std::size_t size, std::align_val_t to) { return take_or_throw(size, aligned(to)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new(std::size_t size, std::align_val_t to, const std::nothrow_t&) noexcept
{
    return take(size, aligned(to));
}
void* operator new[](std::size_t size, std::align_val_t to, const std::nothrow_t&) noexcept
{
    return take(size, aligned(to));
}
