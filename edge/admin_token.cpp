#include "edge/admin_token.hpp"

#include "broker/log.hpp"
#include "edge/bearer.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <utility>

namespace marquee
{

result<admin_token> admin_token::from_file(std::string path)
{
    admin_token made(std::move(path));
    (void)made.file_.changed(); // before it is read: a change meanwhile is seen later
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

result<void> admin_token::read()
{
    auto text = file_.read();
    if (text.has_error())
        return fail(errc::bad_request, "cannot read the admin token file " + file_.path(), "admin-token-file");
    const auto token = trim_lines(*text);
    if (token.empty())
        return fail(errc::bad_request, "the admin token file " + file_.path() + " is empty", "admin-token-file");
    token_ = hash(token);
    OPENSSL_cleanse(text->data(), text->size());
    return {};
}

boost::system::result<void, request_failure> admin_token::check(const http_fields& fields)
{
    if (file_.path().empty())
        return request_failure(fail(errc::forbidden, "no admin token is configured"));
    if (file_.changed()) // said once for each version of the file
        if (auto again = read(); again.has_error())
            log(log_level::warning, "the last admin token stands", {{"reason", again.error().detail}});

    const auto given = bearer_token(fields, "an admin token is needed");
    if (given.has_error())
        return given.error();
    const auto hashed = hash(*given);
    if (CRYPTO_memcmp(hashed.data(), token_->data(), hashed.size()) != 0)
        return invalid_token("the admin token is wrong");
    return {};
}

} // namespace marquee
