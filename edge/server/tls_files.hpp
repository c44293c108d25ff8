// The files with the edge's certificate and key.
#pragma once

#include <string>

namespace marquee
{

struct tls_files
{
    std::string certificate; ///< PEM: the certificate, then those between it and the root; empty: no TLS
    std::string key;         ///< PEM, without a password
};

} // namespace marquee
