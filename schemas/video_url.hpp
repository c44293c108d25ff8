// Which addresses of videos may be stored. A player passes them on to a browser, so none may run as
// a script, reach a file of the viewer's, or leave the folder it seems to be in.
#pragma once

#include "schemas/messages.hpp"

namespace marquee
{

/// Fails with bad_request, field `url`, where a new record may not have this URL: with the scheme
/// javascript, data, vbscript, blob or file, whatever its case and whatever control characters or
/// spaces a browser would leave out; with `//` in front, a backslash, a control character, or a dot
/// segment in its path, also percent-encoded, once or more often. Records that are there are
/// served. Other schemes than http and https may be stored: programs other than browsers play them.
/// Thread-safe.
[[nodiscard]] result<void> check_new_record(const asset_url& record);

} // namespace marquee
