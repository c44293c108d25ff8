// The members of a record beyond those that the contract names (contract section 2): kept byte for
// byte, because a number that is read and written again may be another one.
#pragma once

#include "schemas/error.hpp"
#include "schemas/messages.hpp"

#include <span>
#include <string>
#include <string_view>

namespace marquee
{

inline constexpr std::size_t max_free_bytes = 32 * 1024;

/// Appends JSON without white space outside strings. Thread-safe.
void append_compact(std::string& out, std::string_view json);

/// The members of a JSON object whose names are not among `known`, separated by commas, in their
/// order, without white space outside strings. `object` must be valid JSON. Thread-safe.
[[nodiscard]] std::string free_members(std::string_view object, std::span<const std::string_view> known);

/// Whether a record may be put; what exists already is served in any case. Fails with bad_request,
/// and the member's name as `field`, where a text or a name has a control character other than
/// line feed, carriage return and tab, where a free member is given twice, and where the free
/// members exceed max_free_bytes. Thread-safe.
[[nodiscard]] result<void> check_new_record(const asset_metadata& record);

} // namespace marquee
