// Tokens from clients, and key files of an operator. The first byte chooses what the input is.
#include "edge/auth/jwt.hpp"
#include "edge/auth/jwt_keys.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/jwt_maker.hpp"

using namespace marquee;
using marquee::fuzz::require;

namespace
{

const std::string phrase = "correct-horse-battery-staple-and-more";

// Keys of this run, whose private halves are dropped: a token that they accept is forged.
struct known_keys
{
    std::vector<jwt_key> secret = read_jwt_keys(phrase).value();
    std::vector<jwt_key> rsa = read_jwt_keys(test::jwt_signer::rsa().pem()).value();
    std::vector<jwt_key> set = read_jwt_keys(R"({"keys":[)" + test::jwt_signer::rsa().jwk(R"("kid":"a",)") + ',' +
                                             test::jwt_signer::ec().jwk(R"("kid":"b",)") + "]}")
                                   .value();
};

const std::chrono::system_clock::time_point now{std::chrono::seconds(1'800'000'000)};

/// The input is a whole token.
void check_foreign(const known_keys& keys, std::string_view input)
{
    for (const auto* each : {&keys.secret, &keys.rsa, &keys.set})
        require(jwt_subject(input, *each, {}, now).has_error(), "nobody else's token is taken");
}

/// The input is a header and claims, a line each, that are signed here: so what is behind the
/// signature is reached.
void check_signed(const known_keys& keys, std::string_view input)
{
    const auto end = input.find('\n');
    const std::string header(input.substr(0, end));
    const std::string claims(end == std::string_view::npos ? std::string_view() : input.substr(end + 1));
    if (header.empty())
        return;
    const auto token = test::jwt_signer::secret(phrase).token("HS256", claims, header);
    const auto subject = jwt_subject(token, keys.secret, {"", "marquee"}, now);
    if (subject.has_error())
        return;
    auto other = token;
    other.back() = other.back() == 'A' ? 'Q' : 'A';
    require(jwt_subject(other, keys.secret, {"", "marquee"}, now).has_error(), "another signature is refused");
    require(jwt_subject(token, keys.rsa, {"", "marquee"}, now).has_error(), "another key is refused");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const known_keys keys;
    auto input = fuzz::text(data, size);
    switch (fuzz::choice(input) % 4)
    {
    case 0:
        check_foreign(keys, input);
        break;
    case 1:
        (void)read_jwt_keys(input);
        break;
    default:
        check_signed(keys, input);
    }
    return 0;
}
