// The page and its files, what the page needs to know of its edge, and the videos.
#include "edge/http/byte_range.hpp"
#include "edge/http/conditions.hpp"
#include "edge/page/file_body.hpp"
#include "edge/page/memory_body.hpp"
#include "edge/routes/handlers.hpp"
#include "edge/routes/routes.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace marquee::handlers
{

namespace
{

/// A page loads and shows nothing but what it names here; it has no inline script or style.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https:; "
    "media-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A video, picture or document of a folder is never a page of this site.
constexpr std::string_view media_policy = "default-src 'none'; sandbox; frame-ancestors 'none'";

constexpr std::string_view page_age = "max-age=60";    ///< of files whose names stay with a new version
constexpr std::string_view media_age = "max-age=3600"; ///< of files that hardly change

void add_policy(http_fields& fields, std::string_view policy)
{
    fields.add("X-Content-Type-Options", "nosniff");
    fields.add("Content-Security-Policy", policy);
    fields.add("Referrer-Policy", "no-referrer");
}

/// Whether `tags` has this one, in quotes. Weak ones count where `weak`.
bool has_tag(const entity_tags& tags, std::string_view etag, bool weak)
{
    const auto text = etag.substr(1, etag.size() - 2);
    return tags.any || std::any_of(tags.tags.begin(), tags.tags.end(),
                                   [&](const auto& each) { return each.text == text && (weak || !each.weak); });
}

/// Whether the client has this version (RFC 9110 section 13.1). Fails with bad_request, and with
/// revision_mismatch where it wants another one only.
result<bool> is_known(const http_fields& fields, std::string_view etag)
{
    const auto given = conditions::of(fields);
    if (given.has_error())
        return given.error();
    if (given->if_match && !has_tag(*given->if_match, etag, false))
        return fail(errc::revision_mismatch, "The file is another version than those of If-Match.", "If-Match");
    return given->if_none_match && has_tag(*given->if_none_match, etag, true);
}

constexpr std::uint64_t one_piece = 64 * 1024; ///< that much of the program's bytes is sent as it is

/// Whether the answer is read while it is sent, and so counts for --max-media.
bool is_streamed(const routed_call& call, const site_file& file, const byte_range& part)
{
    return call.request.method != "HEAD" && (std::holds_alternative<folder_file>(file.source) || part.size > one_piece);
}

/// The part of a file as a body; short ones of the program as they are.
void give(http_response& answer, site_file file, const byte_range& part, const asio::any_io_executor& io,
          std::shared_ptr<void> held)
{
    if (auto* const found = std::get_if<folder_file>(&file.source))
    {
        answer.stream = std::make_shared<file_body>(io, std::move(*found), part.first, part.size, std::move(held));
        return;
    }
    const auto bytes = std::get<std::string_view>(file.source).substr(part.first, part.size);
    if (bytes.size() <= one_piece)
        answer.body = bytes;
    else
        answer.stream = std::make_shared<memory_body>(bytes, std::move(held));
}

/// Files are not what an overloaded edge is busy with: it goes on to serve the connection.
http_response too_many_files(const std::string& request)
{
    auto answer = problem_response(fail(errc::overloaded, "Too many files are being sent."), request);
    answer.overloaded = false;
    return answer;
}

handler_result send_page_file(edge_context& edge, const routed_call& call, std::span<const std::string> path)
{
    if (edge.files.found_in == nullptr)
        co_return fail(errc::route_not_found);
    const auto& fields = call.request.fields;
    auto file = edge.files.found_in->page(path, choose_coding(fields.joined("Accept-Encoding")));
    if (!file)
        co_return fail(errc::route_not_found, "The page has no such file.");
    const auto known = is_known(fields, file->etag);
    if (known.has_error())
        co_return known.error();
    http_response answer;
    add_policy(answer.fields, page_policy);
    answer.fields.add("ETag", file->etag);
    answer.fields.add("Cache-Control", page_age);
    answer.fields.append("Vary", "Accept-Encoding");
    if (*known)
    {
        answer.status = 304;
        co_return answer;
    }
    answer.fields.add("Content-Type", file->type);
    if (file->coding != content_coding::identity)
        answer.fields.add("Content-Encoding", file->coding == content_coding::gzip ? "gzip" : "br");
    const byte_range whole{byte_range::kind::whole, 0, file->size()};
    std::shared_ptr<void> held;
    if (is_streamed(call, *file, whole) && (held = edge.files.limit->enter()) == nullptr)
        co_return too_many_files(call.request.id);
    const auto here = co_await asio::this_coro::executor;
    give(answer, std::move(*file), whole, here, std::move(held));
    co_return answer;
}

/// What the page needs to know of the edge, and of the listener that it came from.
http_response describe_edge(const edge_context& edge, route_set among)
{
    const bool operators = has(among, route_set::operators);
    const boost::json::object about{{"watch", true},
                                    {"desk", operators},
                                    {"fleet", operators},
                                    {"admin", edge.access.admin.configured()},
                                    {"players", edge.access.players.has_keys() ? "token" : "name"},
                                    {"version", MARQUEE_VERSION}};
    auto answer = json_response(boost::json::serialize(about));
    answer.fields.add("X-Content-Type-Options", "nosniff");
    return answer;
}

} // namespace

handler_result page(edge_context& edge, routed_call call)
{
    const std::string index[] = {"index.html"};
    auto sending = send_page_file(edge, call, index);
    co_return co_await std::move(sending);
}

handler_result page_file(edge_context& edge, routed_call call)
{
    if (call.parameters.size() == 1 && call.parameters.front() == "edge.json")
        co_return describe_edge(edge, call.among);
    auto sending = send_page_file(edge, call, call.parameters);
    co_return co_await std::move(sending);
}

handler_result media(edge_context& edge, routed_call call)
{
    if (edge.files.found_in == nullptr)
        co_return fail(errc::route_not_found);
    const auto& fields = call.request.fields;
    auto file = edge.files.found_in->media(call.parameters);
    if (!file)
        co_return fail(errc::route_not_found, "There is no such file.");
    const auto known = is_known(fields, file->etag);
    if (known.has_error())
        co_return known.error();
    http_response answer;
    answer.fields.add("ETag", file->etag);
    answer.fields.add("Accept-Ranges", "bytes");
    answer.fields.add("Cache-Control", media_age);
    if (*known)
    {
        answer.status = 304;
        co_return answer;
    }
    const auto size = file->size();
    const auto part = call.request.method == "GET" ? read_range(fields, size, file->etag)
                                                   : byte_range{byte_range::kind::whole, 0, size};
    if (part.is == byte_range::kind::none)
    {
        request_failure beyond(fail(errc::range_not_satisfiable, "The file has " + std::to_string(size) + " bytes."));
        beyond.fields.add("Content-Range", content_range(part, size));
        co_return beyond;
    }
    std::shared_ptr<void> held;
    if (is_streamed(call, *file, part) && (held = edge.files.limit->enter()) == nullptr)
        co_return too_many_files(call.request.id);
    answer.fields.add("Content-Type", file->type);
    add_policy(answer.fields, media_policy);
    if (part.is == byte_range::kind::part)
    {
        answer.status = 206;
        answer.fields.add("Content-Range", content_range(part, size));
    }
    const auto here = co_await asio::this_coro::executor;
    give(answer, std::move(*file), part, here, std::move(held));
    co_return answer;
}

} // namespace marquee::handlers
