#include "edge/page/file_types.hpp"

#include "edge/http/http.hpp"

#include <utility>

namespace marquee
{

std::string_view type_of_file(std::string_view name) noexcept
{
    static constexpr std::pair<std::string_view, std::string_view> types[] = {
        {"html", "text/html; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"json", "application/json"},
        {"txt", "text/plain; charset=utf-8"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"gif", "image/gif"},
        {"webp", "image/webp"},
        {"avif", "image/avif"},
        {"ico", "image/x-icon"},
        {"woff2", "font/woff2"},
        {"mp4", "video/mp4"},
        {"m4v", "video/mp4"},
        {"m4s", "video/iso.segment"},
        {"webm", "video/webm"},
        {"ogv", "video/ogg"},
        {"mov", "video/quicktime"},
        {"ts", "video/mp2t"},
        {"mp3", "audio/mpeg"},
        {"m4a", "audio/mp4"},
        {"ogg", "audio/ogg"},
        {"vtt", "text/vtt; charset=utf-8"},
        {"m3u8", "application/vnd.apple.mpegurl"},
        {"mpd", "application/dash+xml"},
    };
    const auto dot = name.rfind('.');
    if (dot != std::string_view::npos)
        for (const auto& [end, type] : types)
            if (equals_ignoring_case(name.substr(dot + 1), end))
                return type;
    return "application/octet-stream";
}

} // namespace marquee
