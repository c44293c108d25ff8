#include "tools/catalogue/refusals.hpp"

#include "tools/catalogue/csv_text.hpp"

#include <filesystem>
#include <iostream>

namespace marquee::catalogue_files
{
namespace
{

constexpr std::uint64_t max_named = 10;
constexpr std::string_view header = "line,column,reason,id";

} // namespace

result<void> refusals::may_replace(const std::string& path)
{
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored) || std::filesystem::file_size(path, ignored) == 0)
        return {};
    std::string first;
    std::getline(std::ifstream(path), first);
    if (first == header)
        return {};
    return fail(errc::bad_request, path + " is no file of refused rows, and is not replaced: --refused names another");
}

result<void> refusals::add(const title_row& row, const refusal& why)
{
    if (++count_ == 1)
    {
        out_.open(path_, std::ios::binary | std::ios::trunc);
        out_ << header << '\n';
    }
    out_ << csv_line({std::to_string(row.line), why.column, why.reason, row.id}, ',') << '\n';
    if (!out_)
        return fail(errc::unavailable, path_ + ": cannot be written");
    if (count_ <= max_named)
        std::cerr << "refused: line " << row.line << (row.id.empty() ? "" : ", id " + row.id)
                  << (why.column.empty() ? "" : ", column " + why.column) << ": " << why.reason << '\n';
    else if (count_ == max_named + 1)
        std::cerr << "further refused rows are in " << path_ << '\n';
    return {};
}

result<void> refusals::finish()
{
    if (count_ > 0)
    {
        out_.flush();
        if (!out_)
            return fail(errc::unavailable, path_ + ": cannot be written");
        return {};
    }
    std::string first;
    std::getline(std::ifstream(path_), first);
    std::error_code ignored;
    if (first == header)
        std::filesystem::remove(path_, ignored);
    return {};
}

} // namespace marquee::catalogue_files
