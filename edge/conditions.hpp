// Entity tags: a resource's revision as its ETag, and the two conditional headers.
#pragma once

#include "edge/http.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// `"7"` for revision 7.
[[nodiscard]] std::string make_etag(std::uint64_t revision);

/// A revision in a `Marquee-Revision` header. Fails with malformed_reply on anything but a number; nothing where it is empty.
[[nodiscard]] result<std::optional<std::uint64_t>> read_revision(std::string_view text);

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

    /// As If-Match compares: weak tags never match.
    [[nodiscard]] bool matches_strongly(std::uint64_t revision) const;

    /// As If-None-Match compares.
    [[nodiscard]] bool matches_weakly(std::uint64_t revision) const;

    /// The one revision that could match strongly; nothing where it takes a look at the resource to know.
    [[nodiscard]] std::optional<std::uint64_t> only_revision() const;
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

/// What a change may expect of the resource, once its current revision is known (0: absent): that revision, to be compared and set. Fails with
/// revision_mismatch where the conditions are not met.
[[nodiscard]] result<std::uint64_t> expected_revision(const conditions& given, std::uint64_t current);

} // namespace marquee
