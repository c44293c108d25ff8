// Where spans are sent, and with which headers.
#pragma once

#include "schemas/error.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

/// The service as the collector sees it (OpenTelemetry's `service.*`).
struct service_resource
{
    std::string name;
    std::string instance;
    std::string version;
};

struct exporter_settings
{
    std::string url;          ///< as traces_url() gives it
    std::string headers_file; ///< empty: no headers but our own
    service_resource resource;
};

/// The URL of traces below an OTLP endpoint: `http://HOST:4318` becomes
/// `http://HOST:4318/v1/traces`, and a path that is there stays in front, as the OTLP specification
/// says; one that ends with /v1/traces is taken as it is. Fails with bad_request: another scheme
/// than http and https, user info, a query, a fragment.
[[nodiscard]] result<std::string> traces_url(std::string_view endpoint);

/// Headers of a request, name and value.
using export_headers = std::vector<std::pair<std::string, std::string>>;

/// Reads `name=value` lines; blank ones and those that begin with `#` are skipped. At most 32.
/// Fails with bad_request and the number of the line, never with its text: a name that is no token,
/// a value that is not printable ASCII, a header that is the exporter's own to send.
[[nodiscard]] result<export_headers> parse_export_headers(std::string_view text);

} // namespace marquee
