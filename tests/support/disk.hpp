// File systems that a test can fill, or cut off as a power cut does. Mounting needs privileges,
// which root lacks in most containers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace marquee::test
{

/// A mounted file system, visible to this thread and the processes it starts. Unmounted with this
/// object, or with the test program.
class disk
{
public:
    /// In memory, `bytes` large, mounted at `where`, which is created if missing. Null where
    /// mounting is not permitted.
    [[nodiscard]] static std::unique_ptr<disk> in_memory(const std::filesystem::path& where, std::uint64_t bytes);

    /// ext4 in a file beside `where`. Null where that is not permitted.
    [[nodiscard]] static std::unique_ptr<disk> ext4(const std::filesystem::path& where, std::uint64_t bytes);

    ~disk();
    disk(const disk&) = delete;
    disk& operator=(const disk&) = delete;

    [[nodiscard]] const std::filesystem::path& where() const noexcept { return where_; }

    /// Fills it with a file until `but` bytes are free.
    void fill(std::uint64_t but);
    void free_again();

    /// ext4: drops what is not on the disk yet, as a power cut does; every later write fails.
    /// remount() restores the rest.
    void cut_power();

    /// After cut_power, once the processes that used it have ended. Throws std::runtime_error.
    void remount();

    /// As `sync -f` does.
    void sync();

private:
    disk(std::filesystem::path where, std::filesystem::path image) : where_(std::move(where)), image_(std::move(image))
    {
    }
    [[nodiscard]] bool mount_image() const;

    std::filesystem::path where_;
    std::filesystem::path image_; ///< empty: in memory
};

} // namespace marquee::test
