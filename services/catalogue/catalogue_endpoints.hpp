// The endpoints get, gets, put, delete and list (contract section 2), written once for all
// catalogues.
//
// A catalogue is a trait:
//     using record = …;  // body of put
//     using reply = …;   // reply of get, element of list
//     static constexpr std::string_view service = …;  // first token of the subjects
//     static reply with_id(const asset_id& id, record r);
#pragma once

#include "broker/micro/service.hpp"
#include "schemas/free_members.hpp"
#include "schemas/messages.hpp"
#include "schemas/video_url.hpp"
#include "services/catalogue/catalogue_store.hpp"

namespace marquee
{

/// Of a reply that is a page of records.
inline constexpr std::size_t max_page_bytes = 512 * 1024;
/// What such a reply needs besides its records: above all `next`, in which every byte may be
/// escaped.
inline constexpr std::size_t page_frame_bytes = 4096;
inline constexpr std::size_t default_page_limit = 100;

/// The member `assets` of such a reply: the records as they are stored.
[[nodiscard]] std::string assets_member(const std::vector<std::string_view>& records);

namespace catalogue_detail
{

/// The parameters of put and delete: the id in the subject's third token, and the headers
/// `Marquee-Revision` and `Marquee-Tag`.
struct change
{
    asset_id id;
    expectation expected;
};

[[nodiscard]] result<asset_id> read_id(const service_request& request);
/// Fails with bad_request and the header's name where a `Marquee-*` header is not known.
[[nodiscard]] boost::system::result<change, service_error> read_change(const service_request& request);
/// Fails with bad_id where no new record may have this id; existing records may.
[[nodiscard]] result<void> check_new_id(const asset_id& id);
[[nodiscard]] result<list_request> read_list_request(const service_request& request);
[[nodiscard]] result<revision> read_revision(std::string_view text);

[[nodiscard]] service_result handle_get(const catalogue_store& store, const service_request& request);
[[nodiscard]] service_result handle_list(const catalogue_store& store, const service_request& request);
/// Many records, as schemas/record_lines.hpp says.
[[nodiscard]] service_result handle_gets(const catalogue_store& store, const service_request& request);
[[nodiscard]] asio::awaitable<service_result> handle_delete(catalogue_store& store, service_request request);
[[nodiscard]] asio::awaitable<service_result> store_value(catalogue_store& store, change what, std::string value,
                                                          deadline until);

[[nodiscard]] endpoint_config make_endpoint(std::string_view service, std::string_view name,
                                            std::string_view description, service_handler handler);
[[nodiscard]] endpoint_config make_endpoint(std::string_view service, std::string_view name,
                                            std::string_view description, immediate_handler at_once);

template <class Catalogue>
[[nodiscard]] asio::awaitable<service_result> handle_put(catalogue_store& store, service_request request)
{
    auto what = read_change(request);
    if (what.has_error())
        co_return what.error();
    if (const auto allowed = check_new_id(what->id); allowed.has_error())
        co_return service_error(allowed.error(), what->id.text());
    auto record = decode<typename Catalogue::record>(request.msg.data);
    if (record.has_error())
        co_return service_error(record.error(), what->id.text());
    if (const auto allowed = check_new_record(*record); allowed.has_error())
        co_return service_error(allowed.error(), what->id.text());
    auto value = encode(Catalogue::with_id(what->id, std::move(*record)));
    co_return co_await store_value(store, std::move(*what), std::move(value), request.until);
}

} // namespace catalogue_detail

/// The value a store keeps for a record.
template <class Catalogue>
[[nodiscard]] std::string catalogue_value(const asset_id& id, typename Catalogue::record record)
{
    return encode(Catalogue::with_id(id, std::move(record)));
}

/// Whether `value` is a record of this asset, as catalogue_value makes it.
template <class Catalogue>
[[nodiscard]] bool catalogue_value_is_valid(const asset_id& id, std::string_view value)
{
    const auto read = decode<typename Catalogue::reply>(value);
    return read.has_value() && read->id == id.text() && decode<typename Catalogue::record>(value).has_value();
}

/// The five endpoints on `store`, which must outlive them and every request they serve.
template <class Catalogue>
[[nodiscard]] std::vector<endpoint_config> catalogue_endpoints(catalogue_store& store)
{
    using namespace catalogue_detail;
    // The lambdas are no coroutines: what they start owns copies of its parameters, never a
    // capture.
    return {
        make_endpoint(Catalogue::service, "get", "The record of an asset",
                      [&store](const service_request& r) { return handle_get(store, r); }),
        make_endpoint(Catalogue::service, "put", "Store the record of an asset",
                      [&store](service_request r) { return handle_put<Catalogue>(store, std::move(r)); }),
        make_endpoint(Catalogue::service, "delete", "Delete the record of an asset",
                      [&store](service_request r) { return handle_delete(store, std::move(r)); }),
        make_endpoint(Catalogue::service, "list", "All records, by page, in byte order of the ids",
                      [&store](const service_request& r) { return handle_list(store, r); }),
        make_endpoint(Catalogue::service, "gets", "The records of many assets, one a line",
                      [&store](const service_request& r) { return handle_gets(store, r); }),
    };
}

} // namespace marquee
