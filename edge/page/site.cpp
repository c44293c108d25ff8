#include "edge/page/site.hpp"

#include "edge/page/embedded_files.hpp"
#include "edge/page/file_types.hpp"

#include <utility>

namespace marquee
{

namespace
{

std::string quoted(std::string_view tag, std::string_view coding = {})
{
    return '"' + std::string(tag) + std::string(coding) + '"';
}

std::optional<site_file> find_embedded(std::string_view folder, std::span<const std::string> path,
                                       content_coding wanted)
{
    std::string name;
    for (const auto& each : path)
        (name += name.empty() ? "" : "/") += each;
    for (const auto& file : embedded_files())
    {
        if (file.folder != folder || file.name != name)
            continue;
        const auto type = type_of_file(file.name);
        if (wanted == content_coding::brotli && !file.brotli.empty())
            return site_file{type, quoted(file.tag, "-br"), wanted, file.brotli};
        if (wanted == content_coding::gzip && !file.gzip.empty())
            return site_file{type, quoted(file.tag, "-gz"), wanted, file.gzip};
        return site_file{type, quoted(file.tag), content_coding::identity, file.bytes};
    }
    return std::nullopt;
}

std::optional<site_file> find_in(const folder& root, std::span<const std::string> path)
{
    auto found = root.find(path);
    if (!found)
        return std::nullopt;
    auto etag = quoted(found->tag);
    return site_file{type_of_file(path.back()), std::move(etag), content_coding::identity, std::move(*found)};
}

result<void> open_root(const std::string& option, const std::string& path, std::optional<folder>& into)
{
    if (path.empty())
        return {};
    auto root = folder::open(path);
    if (root.has_error())
        return fail(errc::bad_request, "--" + option + ": " + root.error().detail, option);
    into.emplace(std::move(*root));
    return {};
}

} // namespace

std::uint64_t site_file::size() const noexcept
{
    if (const auto* const bytes = std::get_if<std::string_view>(&source))
        return bytes->size();
    return std::get<folder_file>(source).size;
}

result<site> site::from(const site_settings& settings)
{
    site made;
    if (auto opened = open_root("web-root", settings.web_root, made.web_root_); opened.has_error())
        return opened.error();
    if (auto opened = open_root("media-root", settings.media_root, made.media_root_); opened.has_error())
        return opened.error();
    return made;
}

std::optional<site_file> site::page(std::span<const std::string> path, content_coding wanted) const
{
    return web_root_ ? find_in(*web_root_, path) : find_embedded("files", path, wanted);
}

std::optional<site_file> site::media(std::span<const std::string> path) const
{
    return media_root_ ? find_in(*media_root_, path) : find_embedded("clips", path, content_coding::identity);
}

} // namespace marquee
