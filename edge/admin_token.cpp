#include "edge/admin_token.hpp"

#include "broker/log.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <fstream>
#include <iterator>
#include <utility>

namespace marquee
{

result<admin_token> admin_token::from_file(std::string path)
{
    admin_token made(std::move(path));
    if (auto read = made.read(); read.has_error())
        return read.error();
    return made;
}

admin_token::digest admin_token::hash(std::string_view text)
{
    digest hashed{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hashed.data());
    return hashed;
}

std::optional<admin_token::version> admin_token::look() const
{
    struct stat found
    {
    };
    if (::stat(path_.c_str(), &found) != 0)
        return std::nullopt;
    return version{found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

result<void> admin_token::read()
{
    auto seen = look();
    std::ifstream file(path_, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!seen || !file)
        return fail(errc::bad_request, "cannot read the admin token file " + path_, "admin-token-file");
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos)
        return fail(errc::bad_request, "the admin token file " + path_ + " is empty", "admin-token-file");
    text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
    token_ = hash(text);
    seen_ = seen;
    OPENSSL_cleanse(text.data(), text.size());
    return {};
}

result<void> admin_token::check(const http_fields& fields)
{
    if (path_.empty())
        return fail(errc::forbidden, "no admin token is configured");
    if (const auto now = look(); now && now != seen_)
        if (auto again = read(); again.has_error())
        {
            seen_ = now; // said once for this version of the file
            log(log_level::warning, "the last admin token stands", {{"reason", again.error().detail}});
        }

    constexpr std::string_view scheme = "Bearer ";
    const auto given = fields.get("Authorization");
    if (!given || fields.count("Authorization") != 1)
        return fail(errc::unauthorized, "an admin token is needed", "Authorization");
    if (!equals_ignoring_case(given->substr(0, scheme.size()), scheme))
        return fail(errc::unauthorized, "the credentials are no bearer token", "Authorization");
    const auto hashed = hash(trim_blanks(given->substr(scheme.size())));
    if (CRYPTO_memcmp(hashed.data(), token_->data(), hashed.size()) != 0)
        return fail(errc::unauthorized, "the admin token is wrong", "Authorization");
    return {};
}

} // namespace marquee
