// What of a site is files: the page, and the videos that come with it.
#pragma once

#include "edge/http/content_coding.hpp"
#include "edge/page/folder.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace marquee
{

/// Where the files are.
struct site_settings
{
    bool served = true;     ///< false: there is no page, and there are no videos
    std::string web_root;   ///< empty: the page is the one of the program
    std::string media_root; ///< empty: the videos are the program's two clips
};

/// A file to answer with.
struct site_file
{
    std::string_view type;                              ///< Content-Type
    std::string etag;                                   ///< strong, in quotes
    content_coding coding = content_coding::identity;   ///< of the bytes
    std::variant<std::string_view, folder_file> source; ///< bytes of the program, or a file

    [[nodiscard]] std::uint64_t size() const noexcept;
};

/// Finds files. Thread-safe.
class site
{
public:
    /// Fails with bad_request, with the option's name in field, where a root is no folder.
    [[nodiscard]] static result<site> from(const site_settings& settings);

    /// A file of the page, in the coding wanted where it is there in it; nothing where there is
    /// none.
    [[nodiscard]] std::optional<site_file> page(std::span<const std::string> path, content_coding wanted) const;

    /// A file of the videos; nothing where there is none.
    [[nodiscard]] std::optional<site_file> media(std::span<const std::string> path) const;

private:
    std::optional<folder> web_root_;
    std::optional<folder> media_root_;
};

} // namespace marquee
