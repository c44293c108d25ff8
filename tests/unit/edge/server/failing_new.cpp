#include "tests/unit/edge/server/failing_new.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace
{

thread_local bool none_left = false;

} // namespace

// Replaces the operators of the whole program, in pairs: sanitizers compare who allocates and who
// frees.

void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return none_left ? nullptr : std::malloc(size == 0 ? 1 : size);
}

void* operator new(std::size_t size)
{
    if (void* memory = ::operator new(size, std::nothrow))
        return memory;
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace marquee::test
{

no_memory::no_memory() noexcept { none_left = true; }
no_memory::~no_memory() { none_left = false; }

} // namespace marquee::test
