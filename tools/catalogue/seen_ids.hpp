// The ids of a file of any size, in a bounded memory.
#pragma once

#include "schemas/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace marquee::catalogue_files
{

/// A hash table of 16-byte digests (SHA-256) and line numbers. Up to `max_memory` bytes it is in
/// memory; beyond that it is an unnamed temporary file in TMPDIR, of about 60 bytes an id. Not
/// thread-safe.
class seen_ids
{
public:
    explicit seen_ids(std::size_t max_memory = std::size_t(16) << 20);
    ~seen_ids();
    seen_ids(const seen_ids&) = delete;
    seen_ids& operator=(const seen_ids&) = delete;

    /// Adds an id that stands on `line`. Returns the line where it stood before, and then does not
    /// change that; nothing where it is new. Fails with unavailable where the temporary file cannot
    /// be written.
    [[nodiscard]] result<std::optional<std::uint64_t>> insert(std::string_view id, std::uint64_t line);

    /// Returns the line of an id, if it was added. Fails as insert() does.
    [[nodiscard]] result<std::optional<std::uint64_t>> find(std::string_view id);

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

private:
    struct slot
    {
        std::uint64_t first = 0; ///< of the digest; decides the bucket by its upper bits
        std::uint64_t second = 0;
        std::uint64_t line = 0; ///< 0: the slot is free
    };
    static constexpr std::size_t slots = 170;
    struct bucket
    {
        std::array<slot, slots> at;
        std::array<unsigned char, 4096 - slots * sizeof(slot)> unused;
    };
    static_assert(sizeof(bucket) == 4096);

    [[nodiscard]] static slot slot_of(std::string_view id);
    [[nodiscard]] std::size_t index_of(const slot& what) const noexcept;
    result<void> load(std::size_t index, bucket& into) const;
    result<void> store(std::size_t index, const bucket& from);
    result<void> grow();

    std::size_t max_memory_;
    unsigned bits_ = 4; ///< there are 2^bits_ buckets
    std::uint64_t size_ = 0;
    std::vector<bucket> memory_;
    int fd_ = -1; ///< of the temporary file, once there is one
};

} // namespace marquee::catalogue_files
