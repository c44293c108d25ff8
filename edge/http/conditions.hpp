// Conditional requests (RFC 9110 section 13): ETag, If-Match and If-None-Match.
#pragma once

#include "edge/http/http.hpp"
#include "schemas/error.hpp"
#include "schemas/record_tag.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// The tag in quotes, as a strong ETag.
[[nodiscard]] std::string make_etag(const record_tag& tag);

/// The state of a record, from the headers `Marquee-Tag` and `Marquee-Revision` of a service's
/// reply. A member is empty where its header is absent; services older than tags send a revision
/// alone.
struct record_state
{
    std::optional<record_tag> tag;
    std::optional<std::uint64_t> revision;

    /// Reads the values of both headers; an absent one is empty. Fails with malformed_reply where
    /// one is malformed, or they are of different revisions.
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

    /// The comparison of If-Match: weak tags never match. A record without a tag matches `*` alone.
    [[nodiscard]] bool matches_strongly(const std::optional<record_tag>& current) const;

    /// The comparison of If-None-Match: `W/` is ignored.
    [[nodiscard]] bool matches_weakly(const std::optional<record_tag>& current) const;

    /// The only tag that can match strongly, so that a service can compare and set; nothing where
    /// the record must be read first.
    [[nodiscard]] std::optional<record_tag> only_tag() const;
};

/// If-Match and If-None-Match of a request; nothing where the header is absent.
struct conditions
{
    std::optional<entity_tags> if_match;
    std::optional<entity_tags> if_none_match;

    [[nodiscard]] bool none() const noexcept { return !if_match && !if_none_match; }

    /// Reads both headers. Fails with bad_request; `field` is the header.
    [[nodiscard]] static result<conditions> of(const http_fields& fields);
};

/// Whether a record in the state `current` (nothing: it is absent) may be changed. Fails with
/// revision_mismatch where a condition is not met.
[[nodiscard]] result<void> check_conditions(const conditions& given, const std::optional<record_state>& current);

} // namespace marquee
