#include "services/catalogue/catalogue_endpoints.hpp"

#include "schemas/parse_number.hpp"
#include "schemas/record_lines.hpp"
#include "schemas/subjects.hpp"

#include <algorithm>
#include <iterator>

namespace marquee
{

std::string assets_member(const std::vector<std::string_view>& records)
{
    std::size_t size = 16;
    for (const auto record : records)
        size += record.size() + 1;
    std::string out;
    out.reserve(size);
    out += "\"assets\":[";
    for (const auto record : records)
    {
        if (out.back() != '[')
            out += ',';
        out += record;
    }
    return out += ']';
}

} // namespace marquee

namespace marquee::catalogue_detail
{

namespace
{

endpoint_config describe(std::string_view service, std::string_view name, std::string_view description)
{
    endpoint_config endpoint;
    endpoint.name = name;
    endpoint.subject = subjects::pattern(service, name, name == "list" || name == "gets" ? 0 : 1);
    endpoint.metadata = {{"description", std::string(description)}};
    endpoint.change = name == "put" || name == "delete";
    endpoint.takes_payload = name != "delete";
    return endpoint;
}

} // namespace

result<asset_id> read_id(const service_request& request)
{
    return asset_id::from_token(subjects::token_at(request.msg.subject, 2));
}

result<revision> read_revision(std::string_view text)
{
    if (const auto number = parse_number<revision>(text))
        return *number;
    return fail(errc::bad_request, "a revision is a whole number", std::string(names::header_revision));
}

namespace
{

/// Every `Marquee-*` header that a change may carry.
constexpr std::string_view known_headers[] = {names::header_revision, names::header_tag, names::header_timeout,
                                              names::header_request_id};

/// Whether the name begins with `Marquee-`, in any case.
bool is_ours(std::string_view name) noexcept
{
    constexpr std::string_view prefix = "marquee-";
    if (const auto first = name.find_first_not_of(" \t"); first != std::string_view::npos)
        name.remove_prefix(first);
    return name.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), name.begin(),
                      [](char p, char n) { return p == (n >= 'A' && n <= 'Z' ? static_cast<char>(n + 32) : n); });
}

/// A header name may have any bytes; a reply is UTF-8.
std::string in_ascii(std::string_view name)
{
    std::string text(name);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
    return text;
}

/// A misspelt condition would be ignored, and the change made regardless.
result<void> check_headers(const header_list& headers)
{
    for (const auto& [name, value] : headers)
        if (is_ours(name) &&
            std::find(std::begin(known_headers), std::end(known_headers), name) == std::end(known_headers))
            return fail(errc::bad_request, "no header of this service has that name, byte for byte", in_ascii(name));
    return {};
}

/// Any text is a tag; one that we did not make matches no record. The quotes of an ETag are not
/// part of it.
record_tag read_tag(std::string_view text)
{
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        text = text.substr(1, text.size() - 2);
    return parse_record_tag(text).value_or(record_tag());
}

} // namespace

boost::system::result<change, service_error> read_change(const service_request& request)
{
    auto id = read_id(request);
    if (id.has_error())
        return service_error(id.error());
    const auto& headers = request.msg.headers;
    change what{std::move(*id), {}};
    if (auto known = check_headers(headers); known.has_error())
        return service_error(known.error(), what.id.text());
    if (headers.has(names::header_tag))
        what.expected.tag = read_tag(headers.get(names::header_tag));
    if (!headers.has(names::header_revision))
        return what;
    auto expected = read_revision(headers.get(names::header_revision));
    if (expected.has_error())
        return service_error(expected.error(), what.id.text());
    what.expected.rev = *expected;
    return what;
}

result<void> check_new_id(const asset_id& id)
{
    if (!is_path_id(id.text()))
        return fail(errc::bad_id, "an asset cannot be called . or ..", asset_tag::name);
    return {};
}

result<list_request> read_list_request(const service_request& request)
{
    if (request.msg.data.empty())
        return list_request{};
    auto wanted = decode<list_request>(request.msg.data);
    if (wanted.has_value() && wanted->after && !is_valid_id(*wanted->after))
        return fail(errc::bad_request, "an id is 1 to 128 bytes of UTF-8 without control characters", "after");
    return wanted;
}

service_result handle_get(const catalogue_store& store, const service_request& request)
{
    const auto id = read_id(request);
    if (id.has_error())
        return service_error(id.error());
    const auto* found = store.get(*id);
    if (!found)
        return service_error(fail(errc::asset_not_found), id->text());
    service_reply reply{found->value, {}};
    reply.headers.set(names::header_revision, std::to_string(found->tag.revision));
    reply.headers.set(names::header_tag, to_text(found->tag));
    return reply;
}

service_result handle_list(const catalogue_store& store, const service_request& request)
{
    const auto wanted = read_list_request(request);
    if (wanted.has_error())
        return service_error(wanted.error());
    const auto found = store.list(wanted->after.value_or(""), wanted->limit.value_or(default_page_limit),
                                  max_page_bytes - page_frame_bytes);
    auto page = '{' + assets_member(found.values);
    if (!found.next.empty())
        (page += ",\"next\":") += encode_string(std::string(found.next));
    return service_reply{page += '}', {}};
}

service_result handle_gets(const catalogue_store& store, const service_request& request)
{
    const auto tokens = read_gets_request(request.msg.data);
    if (tokens.has_error())
        return service_error(tokens.error());
    record_lines_writer lines(tokens->size(), max_gets_reply_bytes);
    for (const auto token : *tokens)
    {
        const auto id = asset_id::from_token(token);
        if (id.has_error())
            lines.bad_token();
        else if (const auto* found = store.get(*id))
            lines.found(found->tag.revision, found->value);
        else
            lines.absent();
    }
    return service_reply{lines.take(), {}};
}

asio::awaitable<service_result> store_value(catalogue_store& store, change what, std::string value, deadline until)
{
    const auto stored = co_await store.put(what.id, std::move(value), what.expected, until);
    if (stored.has_error())
        co_return service_error(stored.error(), what.id.text());
    put_reply reply;
    reply.revision = stored->revision;
    service_reply answer{encode(reply), {}};
    answer.headers.set(names::header_tag, to_text(*stored));
    co_return answer;
}

asio::awaitable<service_result> handle_delete(catalogue_store& store, service_request request)
{
    const auto what = read_change(request);
    if (what.has_error())
        co_return what.error();
    const auto erased = co_await store.erase(what->id, what->expected, request.until);
    if (erased.has_error())
        co_return service_error(erased.error(), what->id.text());
    service_reply answer{encode(delete_reply{}), {}};
    answer.headers.set(names::header_tag, to_text(*erased));
    co_return answer;
}

endpoint_config make_endpoint(std::string_view service, std::string_view name, std::string_view description,
                              service_handler handler)
{
    auto endpoint = describe(service, name, description);
    endpoint.handler = std::move(handler);
    return endpoint;
}

endpoint_config make_endpoint(std::string_view service, std::string_view name, std::string_view description,
                              immediate_handler at_once)
{
    auto endpoint = describe(service, name, description);
    endpoint.at_once = std::move(at_once);
    return endpoint;
}

} // namespace marquee::catalogue_detail
