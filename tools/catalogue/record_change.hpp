// What putting a row would make of the record that stands.
#pragma once

#include "tools/catalogue/title.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace marquee::catalogue_files
{

/// The body of the put; none: what stands is equal.
using put_body = std::optional<std::string>;

/// Applies the members of a row to the metadata record that stands (`standing` as metadata.get
/// gives it; none: there is none). What the row does not have stays. The order of members does,
/// too; new ones follow. Where nothing stands and the row has no value either, there is nothing to
/// put. Fails with bad_request and the member as `field` where no record can be made: its limits
/// are those of the service. Thread-safe.
[[nodiscard]] result<put_body> change_metadata(const std::optional<std::string_view>& standing, const title_row& row,
                                               std::string_view separator);

/// The same for the URL of a row, which must have one, and a record of cdnurl.get.
[[nodiscard]] result<put_body> change_url(const std::optional<std::string_view>& standing, const title_row& row);

} // namespace marquee::catalogue_files
