// Owning what a C library made.
#pragma once

namespace marquee
{

/// Frees an object with a function of its library; for std::unique_ptr, which never passes null.
template <auto free>
struct freed_by
{
    template <class T>
    void operator()(T* one) const noexcept
    {
        free(one);
    }
};

} // namespace marquee
