// An operator new that fails when a test asks for it.
#pragma once

namespace marquee::test
{

/// While it is in scope, every operator new on this thread throws std::bad_alloc.
class no_memory
{
public:
    no_memory() noexcept;
    ~no_memory();
    no_memory(const no_memory&) = delete;
    no_memory& operator=(const no_memory&) = delete;
};

} // namespace marquee::test
