// The endpoint metadata.search.
#pragma once

#include "broker/micro/service.hpp"
#include "schemas/messages.hpp"
#include "services/catalogue/catalogue_store.hpp"
#include "services/metadata/search_index.hpp"

namespace marquee
{

inline constexpr std::size_t max_search_words = 64;

/// What a request searches for. Fails with bad_request and the field `q` where it has too many
/// words.
[[nodiscard]] result<search_terms> read_search_terms(const search_request& request);

/// The endpoint on `store`, whose index is a search_index; the store must outlive it and every
/// request it serves.
[[nodiscard]] endpoint_config search_endpoint(const catalogue_store& store);

} // namespace marquee
