#include "edge/auth/player_token.hpp"

#include "broker/base/log.hpp"

#include <openssl/crypto.h>

namespace marquee
{

result<player_token> player_token::from(const jwt_settings& settings)
{
    player_token made;
    if (settings.key_file.empty())
        return made;
    made.file_ = watched_file(settings.key_file);
    made.expected_ = settings.expected;
    (void)made.file_.changed(); // before the first read: a later change is noticed
    if (auto read = made.read(); read.has_error())
        return read.error();
    return made;
}

result<void> player_token::read()
{
    auto text = file_.read();
    if (text.has_error())
        return fail(errc::bad_request, "the JWT key file: " + text.error().detail, "jwt-key");
    auto keys = read_jwt_keys(*text);
    OPENSSL_cleanse(text->data(), text->size());
    if (keys.has_error())
        return fail(errc::bad_request, "the JWT key file " + file_.path() + ": " + keys.error().detail, "jwt-key");
    keys_ = std::move(*keys);
    return {};
}

boost::system::result<void, request_failure> player_token::check(const http_fields& fields, std::string_view user,
                                                                 std::chrono::system_clock::time_point now)
{
    if (file_.path().empty())
        return {};
    if (file_.changed()) // so one line is logged for each version of the file
    {
        if (auto again = read(); again.has_error())
            log(log_level::error, "the previous JWT keys stay in use", {{"reason", again.error().detail}});
        else
            log(log_level::info, "JWT keys read again", {{"keys", std::to_string(keys_.size())}});
    }

    const auto given = bearer_token(fields, "a token of the user is needed");
    if (given.has_error())
        return given.error();
    const auto subject = jwt_subject(*given, keys_, expected_, now);
    if (subject.has_error())
        return invalid_token(subject.error().detail);
    if (*subject != user)
        return insufficient_scope("the token is of another user");
    return {};
}

} // namespace marquee
