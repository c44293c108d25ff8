// Entity tags: a record's tag as its ETag, and the two conditional headers.
#pragma once

#include "edge/http.hpp"
#include "schemas/error.hpp"
#include "schemas/record_tag.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// The tag between quotes.
[[nodiscard]] std::string make_etag(const record_tag& tag);

/// What a service's reply says of the state that it is about, by `Marquee-Tag` and `Marquee-Revision`. Both are nothing where the reply has neither; a service
/// of before there were tags sends a revision alone.
struct record_state
{
    std::optional<record_tag> tag;
    std::optional<std::uint64_t> revision;

    /// Fails with malformed_reply where a header is not what it should be, or one says another revision than the other.
    [[nodiscard]] static result<record_state> of(std::string_view tag, std::string_view revision);
};

/// The value of If-Match or If-None-Match.
struct entity_tags
{
    struct tag
    {
        bool weak = false;
        std::string text; ///< without quotes
    };

    bool any = false; ///< `*`
    std::vector<tag> tags;

    /// As If-Match compares: weak tags never match. What exists without a tag matches `*` alone.
    [[nodiscard]] bool matches_strongly(const std::optional<record_tag>& current) const;

    /// As If-None-Match compares.
    [[nodiscard]] bool matches_weakly(const std::optional<record_tag>& current) const;

    /// The one tag that could match strongly; nothing where it takes a look at the resource to know.
    [[nodiscard]] std::optional<record_tag> only_tag() const;
};

/// Both headers of a request.
struct conditions
{
    std::optional<entity_tags> if_match;
    std::optional<entity_tags> if_none_match;

    [[nodiscard]] bool none() const noexcept { return !if_match && !if_none_match; }

    /// Reads both. Fails with bad_request, naming the header.
    [[nodiscard]] static result<conditions> of(const http_fields& fields);
};

/// Whether a change may be made to what is there (nothing: it is absent). Fails with revision_mismatch where the conditions are not met.
[[nodiscard]] result<void> check_conditions(const conditions& given, const std::optional<record_state>& current);

} // namespace marquee
