// An older copy of a broker's store, to be restored as a backup is: clients then know more than the
// store.
#pragma once

#include "tests/support/nats_server.hpp"

#include <filesystem>
#include <string>

namespace marquee::test
{

/// Copy and restore while the server is stopped. The copy is removed with this object.
class store_copy
{
public:
    explicit store_copy(const nats_server& of) : from_(of.store()), copy_(from_.string() + "-copy")
    {
        std::filesystem::remove_all(copy_);
        std::filesystem::copy(from_, copy_, std::filesystem::copy_options::recursive);
    }

    ~store_copy()
    {
        std::error_code ignored;
        std::filesystem::remove_all(copy_, ignored);
    }
    store_copy(const store_copy&) = delete;
    store_copy& operator=(const store_copy&) = delete;

    void restore() const
    {
        std::filesystem::remove_all(from_);
        std::filesystem::copy(copy_, from_, std::filesystem::copy_options::recursive);
    }

private:
    std::filesystem::path from_;
    std::filesystem::path copy_;
};

} // namespace marquee::test
