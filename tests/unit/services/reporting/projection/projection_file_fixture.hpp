// A projection in a file of its own, for tests of what happens to the file.
#pragma once

#include "services/reporting/projection/projection.hpp"
#include "tests/unit/services/kit.hpp"

#include <fstream>
#include <string>

namespace marquee::test
{

struct file_fixture
{
    temporary_folder folder;
    projection_settings settings = {folder.file("counts.db")};

    projection open()
    {
        auto opened = projection::open(settings);
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
        return std::move(*opened);
    }

    /// The text of the failure to open the file, which must fail.
    std::string refusal()
    {
        const auto opened = projection::open(settings);
        BOOST_TEST(code_of(opened) == "unavailable");
        return opened.has_error() ? opened.error().detail : "";
    }

    void write(const std::string& bytes, std::ios::openmode mode = std::ios::trunc)
    {
        std::ofstream(settings.path, std::ios::binary | mode) << bytes;
    }
};

inline bool says(const std::string& text, const std::string& part)
{
    BOOST_TEST_INFO(text);
    return text.find(part) != std::string::npos;
}

/// A stream whose messages `first` to `last` are there.
inline stream_state stream(std::uint64_t first, std::uint64_t last, std::string id = "ID")
{
    return {"2026-01-31T09:30:00.123456789Z", first, last, last + 1 - first, std::move(id)};
}

inline std::string bytes_of(const std::string& path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace marquee::test
