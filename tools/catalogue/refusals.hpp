// The file of rows that were refused.
#pragma once

#include "tools/catalogue/title.hpp"

#include <cstdint>
#include <fstream>
#include <string>

namespace marquee::catalogue_files
{

/// Writes `line,column,reason,id` for each row that is refused, and names the first ones on
/// standard error. The file is made with the first of them, in place of one of an earlier run. Not
/// thread-safe.
class refusals
{
public:
    explicit refusals(std::string path) : path_(std::move(path)) {}

    /// Fails with bad_request where something stands at `path` that is no file of refused rows: it
    /// would be lost.
    [[nodiscard]] static result<void> may_replace(const std::string& path);

    /// Fails with unavailable where the file cannot be written.
    [[nodiscard]] result<void> add(const title_row& row, const refusal& why);

    /// Removes the file of an earlier run where this one has refused nothing. Fails as add() does
    /// where not all could be written.
    [[nodiscard]] result<void> finish();

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
    std::ofstream out_;
    std::uint64_t count_ = 0;
};

} // namespace marquee::catalogue_files
