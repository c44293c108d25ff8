#include "services/catalogue/catalogue_endpoints.hpp"

#include "schemas/subjects.hpp"

#include <charconv>

namespace marquee::catalogue_detail
{

namespace
{

endpoint_config describe(std::string_view service, std::string_view name, std::string_view description)
{
    endpoint_config endpoint;
    endpoint.name = name;
    endpoint.subject = subjects::pattern(service, name, name == "list" ? 0 : 1);
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
    revision value = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(text.data(), end, value);
    if (problem != std::errc{} || stopped != end)
        return fail(errc::bad_request, "a revision is a whole number", std::string(names::header_revision));
    return value;
}

boost::system::result<change, service_error> read_change(const service_request& request)
{
    auto id = read_id(request);
    if (id.has_error())
        return service_error(id.error());
    change what{std::move(*id), {}};
    if (!request.msg.headers.has(names::header_revision))
        return what;
    auto expected = read_revision(request.msg.headers.get(names::header_revision));
    if (expected.has_error())
        return service_error(expected.error(), what.id.text());
    what.expected = *expected;
    return what;
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
    reply.headers.set(names::header_revision, std::to_string(found->rev));
    return reply;
}

asio::awaitable<service_result> store_value(catalogue_store& store, change what, std::string value, deadline until)
{
    const auto stored = co_await store.put(what.id, std::move(value), what.expected, until);
    if (stored.has_error())
        co_return service_error(stored.error(), what.id.text());
    put_reply reply;
    reply.revision = *stored;
    co_return service_reply{encode(reply), {}};
}

asio::awaitable<service_result> handle_delete(catalogue_store& store, service_request request)
{
    const auto what = read_change(request);
    if (what.has_error())
        co_return what.error();
    const auto erased = co_await store.erase(what->id, what->expected, request.until);
    if (erased.has_error())
        co_return service_error(erased.error(), what->id.text());
    co_return service_reply{encode(delete_reply{}), {}};
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
