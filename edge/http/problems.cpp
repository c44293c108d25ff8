#include "edge/http/problems.hpp"

namespace marquee
{

problem_text problem_text_of(errc code) noexcept
{
    switch (code)
    {
    case errc::bad_id:
        return {"An id is 1 to 128 bytes of UTF-8 without control characters.",
                "The id in the path, percent-decoded once, is none, or is `.` or `..`, which browsers cannot send.",
                "Send the id as it is, percent-encoded once."};
    case errc::bad_request:
        return {"The request is malformed, or could be read in two ways.",
                "A parameter, header field or body is wrong: `field` names it. Where the framing is wrong, the "
                "connection is closed.",
                "Correct the request; as it is it fails again."};
    case errc::unauthorized:
        return {"Credentials are missing or wrong.",
                "The route needs the admin token, or a token of the user it names.",
                "Send `Authorization: Bearer TOKEN`; `WWW-Authenticate` says what is wrong with the one sent."};
    case errc::forbidden:
        return {"These credentials are not enough.",
                "The token is of another user, or the edge has no admin token configured.",
                "Use a token of the user in the path; for changes start the edge with `--admin-token-file`."};
    case errc::route_not_found:
        return {"There is no such path.", "The path is none of those in `/openapi.json`.",
                "Compare the path, segment by segment; a slash at its end counts."};
    case errc::method_not_allowed:
        return {"The path has other methods: those of Allow.", "The path is there, this method is not.",
                "Use a method of `Allow`."};
    case errc::request_timeout:
        return {"The request came too slowly.",
                "The head took longer than `--header-timeout` or the body than `--body-timeout`.",
                "Send it again on a new connection."};
    case errc::payload_too_large:
        return {"The body is too long.",
                "It is over `--max-body-bytes`, or over what the broker takes (`max_payload`).",
                "Send less, or raise the limit."};
    case errc::uri_too_long:
        return {"The target is too long.", "It is over `--max-target-bytes`.",
                "Send a shorter target, or raise the limit."};
    case errc::headers_too_large:
        return {"The head is too long.",
                "It is over `--max-header-bytes`, or has more than `--max-header-fields` fields.",
                "Send fewer or shorter fields, such as cookies, or raise the limit."};
    case errc::unsupported_media:
        return {"The body is of another type than JSON, or encoded.",
                "`Content-Type` is not `application/json`, or `Content-Encoding` is not `identity`.",
                "Send plain JSON; a missing `Content-Type` is taken for it."};
    case errc::not_implemented:
        return {"This server does not know the method.",
                "The method is none that HTTP defines; the connection is closed.",
                "Use a method of `Allow`, which `OPTIONS` on the path tells."};
    case errc::version_not_supported:
        return {"This server speaks HTTP/1.1 and HTTP/1.0.",
                "The request line says HTTP/2.0 or later; the connection is closed.", "Speak HTTP/1.1."};
    case errc::range_not_satisfiable:
        return {"The range is not of the file.",
                "It begins behind the file's end, which `Content-Range` tells; the file may have changed.",
                "Ask for a range within the file, or for all of it."};
    case errc::rate_limited:
        return {"Too many requests; Retry-After says when to come back.",
                "One address or one user asks more often than `--rate-address` or `--rate-user` allows.",
                "Wait for the seconds of `Retry-After`."};
    case errc::asset_not_found:
        return {"There is no such asset.",
                "The catalogue has no asset of this id; under `/url` it has no URL, under `/events` no view of it is "
                "counted.",
                "Compare the id; an operator stores assets with `POST /content/asset/{asset}`."};
    case errc::user_not_found:
        return {"No view of this user is counted.", "The user has watched nothing yet.",
                "Compare the id; play something."};
    case errc::not_playable:
        return {"The asset has no URL.", "The catalogue knows the asset, and where it is published is not stored.",
                "Store it with `POST /url/asset/{asset}`."};
    case errc::revision_mismatch:
        return {"The revision is not the one expected.",
                "`If-Match` or `If-None-Match` names another state than the present one: somebody else made a change.",
                "Read the resource again and decide anew."};
    case errc::key_reused:
        return {"The idempotency key was first used for another play of this user.",
                "The same user sent the same `Idempotency-Key` for another asset within `--dedupe-window`.",
                "Make a new key for each play; use a key again only to retry the same one."};
    case errc::malformed_reply:
        return {"A service's reply made no sense.", "What answered is no service of this system, or one with a fault.",
                "Try again; the edge's log names the reason under the request id."};
    case errc::service_failed:
        return {"A service failed inside.", "There is a fault in a service or in the edge.",
                "Try again; the log has the reason under the request id."};
    case errc::no_responders:
        return {"No instance of a service that is needed is there.", "Nobody listens on the service's subject.",
                "Try again after `Retry-After`; `/services` shows which instances answer."};
    case errc::disconnected:
        return {"The broker is away.", "The edge has lost its connection to NATS and makes a new one.",
                "Try again after `Retry-After`."};
    case errc::overloaded:
        return {
            "A limit on work under way is reached; nothing was done.",
            "Too many requests, connections, live streams or files at once (`--max-in-flight`, `--max-connections`, "
            "`--max-live`, `--max-media`), or a service has too many.",
            "Try again after `Retry-After`, with growing pauses."};
    case errc::stopping:
        return {"This edge is stopping; another may answer.",
                "It was told to stop; what is under way is finished first.",
                "Send the request to another edge, or again after `Retry-After`."};
    case errc::unavailable:
        return {
            "What a service needs is away; nothing was done.",
            "A bucket, the stream or a database is away or full, or the service keeps failing and is given a pause.",
            "Try again after `Retry-After`; the log has the reason."};
    case errc::timeout:
        return {"A part that is required did not answer in time.",
                "It took longer than `--timeout`; nothing was changed.", "Try again."};
    case errc::outcome_unknown:
        return {"A change was sent; whether it was made is not known.", "No confirmation came within `--timeout`.",
                "Read the resource to see; a view may be sent again under the same `Idempotency-Key`."};
    }
    return {"An internal error.", "", ""};
}

std::optional<errc> find_problem(std::string_view name) noexcept
{
    for (int number = 1; number <= static_cast<int>(last_errc); ++number)
        if (const auto code = static_cast<errc>(number); name_of(code) == name)
            return code;
    return std::nullopt;
}

std::string problem_path(errc code) { return "/problems/" + std::string(name_of(code)); }

std::string problem_page(errc code)
{
    const auto text = problem_text_of(code);
    std::string page;
    ((page += name_of(code)) += ", status ") += std::to_string(traits_of(code).http_status);
    ((page += "\n") += title_of(code)) += "\n\n";
    ((page += "What it means: ") += text.meaning) += '\n';
    ((page += "When: ") += text.when) += '\n';
    ((page += "What to do: ") += text.cure) += '\n';
    return page;
}

std::string as_sentence(std::string text)
{
    if (text.empty())
        return text;
    if (text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    if (std::string_view(".!?").find(text.back()) == std::string_view::npos)
        text += '.';
    return text;
}

} // namespace marquee
