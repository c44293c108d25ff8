#include "edge/auth/admin_token.hpp"

#include "broker/base/log.hpp"
#include "edge/auth/bearer.hpp"
#include "edge/http/characters.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <string_view>
#include <utility>

namespace marquee
{

namespace
{

/// Why `token` is refused: a client could not send it, or could guess it. Null where it is fine.
const char* find_fault(std::string_view token)
{
    constexpr std::size_t shortest = 16;
    if (token.empty())
        return "is empty";
    if (token.starts_with("\xEF\xBB\xBF"))
        return "begins with a byte order mark";
    if (token.find_first_of("\r\n") != std::string_view::npos)
        return "has more than one line";
    if (!visible_ascii.covers(token))
        return "holds a character that is not printable ASCII, or a blank";
    return token.size() < shortest ? "holds fewer than 16 characters" : nullptr;
}

} // namespace

result<admin_token> admin_token::from_file(std::string path)
{
    admin_token made(std::move(path));
    (void)made.file_.changed(); // before the first read: a later change is noticed
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
    auto text = file_.read(secrecy::secret);
    if (text.has_error())
        return fail(errc::bad_request, "the admin token file: " + text.error().detail, "admin-token-file");
    const auto token = trim_lines(*text);
    const auto* wrong = find_fault(token);
    if (wrong == nullptr)
        token_ = hash(token);
    OPENSSL_cleanse(text->data(), text->size());
    if (wrong != nullptr)
        return fail(errc::bad_request, "the admin token file " + file_.path() + ' ' + wrong, "admin-token-file");
    return {};
}

boost::system::result<void, request_failure> admin_token::check(const http_fields& fields)
{
    if (file_.path().empty())
        return request_failure(fail(errc::forbidden, "no admin token is configured"));
    if (file_.changed()) // so one line is logged for each version of the file
        if (auto again = read(); again.has_error())
            log(log_level::warning, "the previous admin token stays in use", {{"reason", again.error().detail}});

    const auto given = bearer_token(fields, "an admin token is needed");
    if (given.has_error())
        return given.error();
    const auto hashed = hash(*given);
    if (CRYPTO_memcmp(hashed.data(), token_->data(), hashed.size()) != 0)
        return invalid_token("the admin token is wrong");
    return {};
}

} // namespace marquee
