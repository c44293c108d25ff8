// Disks of a test's own, to be filled or to lose their power. Need the right to mount, which root has outside of most containers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace marquee::test
{

/// A mounted file system. Mounts are seen by this thread and the processes it starts, and are gone with the test program at the latest.
class disk
{
public:
    /// In memory, `bytes` large, mounted at `where`, which is made if missing. Null where mounting is not permitted.
    [[nodiscard]] static std::unique_ptr<disk> in_memory(const std::filesystem::path& where, std::uint64_t bytes);

    /// ext4 in a file beside `where`. Null where that is not permitted.
    [[nodiscard]] static std::unique_ptr<disk> ext4(const std::filesystem::path& where, std::uint64_t bytes);

    ~disk();
    disk(const disk&) = delete;
    disk& operator=(const disk&) = delete;

    [[nodiscard]] const std::filesystem::path& where() const noexcept { return where_; }

    /// Fills it with a file, up to `but` bytes that stay free.
    void fill(std::uint64_t but);
    void free_again();

    /// ext4: what is not on the disk now will never be, as in a power cut; every later write fails. remount() brings back what was.
    void cut_power();

    /// After cut_power, once the processes that used it are gone. Throws std::runtime_error.
    void remount();

    /// As `sync -f` does.
    void sync();

private:
    disk(std::filesystem::path where, std::filesystem::path image) : where_(std::move(where)), image_(std::move(image)) {}
    [[nodiscard]] bool mount_image() const;

    std::filesystem::path where_;
    std::filesystem::path image_; ///< empty: in memory
};

} // namespace marquee::test
