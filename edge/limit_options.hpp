// The options that protect the edge from its clients.
#pragma once

#include "edge/config.hpp"

namespace marquee
{

/// Adds --rate-address, --rate-user, --trusted-proxy, --cors-origin, and the sizes, numbers and times that a connection is granted.
void add_limit_options(boost::program_options::options_description& options);

/// Reads them back into `config`. Fails with bad_request and says which option is wrong.
[[nodiscard]] result<void> read_limit_options(const boost::program_options::variables_map& given, edge_config& config);

} // namespace marquee
