// Which tokens stand: signature, header, claims, and every way to bend them.
#include "edge/auth/jwt.hpp"
#include "tests/support/jwt_maker.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/ecdsa.h>

using namespace marquee;
using namespace marquee::test;

namespace
{

using clock_type = std::chrono::system_clock;

constexpr std::int64_t noon = 1'800'000'000; ///< when the tokens of the tables are looked at

const std::string phrase = "correct-horse-battery-staple-and-more";
const jwt_signer hmac = jwt_signer::secret(phrase);
const jwt_signer& rsa()
{
    static const auto made = jwt_signer::rsa();
    return made;
}
const jwt_signer& ec()
{
    static const auto made = jwt_signer::ec();
    return made;
}

std::string claims(const std::string& more = {}) { return R"({"sub":"42","exp":1800000060)" + more + "}"; }

result<std::string> subject(const std::string& token, const std::string& key_file,
                            const jwt_expectations& expected = {}, std::int64_t at = noon)
{
    const auto keys = read_jwt_keys(key_file);
    BOOST_REQUIRE_MESSAGE(keys.has_value(), keys.error().detail);
    return jwt_subject(token, *keys, expected, clock_type::time_point(std::chrono::seconds(at)));
}

void check_good(const std::string& token, const std::string& key_file, const jwt_expectations& expected = {})
{
    const auto found = subject(token, key_file, expected);
    BOOST_REQUIRE_MESSAGE(found.has_value(), found.error().detail);
    BOOST_TEST(*found == "42");
}

void check_refused(const std::string& token, const std::string& key_file, const std::string& why,
                   const jwt_expectations& expected = {})
{
    const auto found = subject(token, key_file, expected);
    BOOST_REQUIRE_MESSAGE(found.has_error(), "it was taken");
    BOOST_TEST((found.error() == errc::unauthorized));
    BOOST_TEST(found.error().detail == why);
}

std::string jwks(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }

const std::string no_jwt = "the token is no signed JWT";
const std::string wrong = "the signature of the token is wrong";
const std::string no_key = "no key has the kid and the algorithm of the token";

/// A token with another signature.
std::string resigned(const std::string& token, const std::string& signature)
{
    return token.substr(0, token.rfind('.') + 1) + base64url(signature);
}

std::string signature_of(const std::string& token) { return unbase64url(token.substr(token.rfind('.') + 1)); }

struct kind
{
    const char* algorithm;
    const jwt_signer& signer;
    std::string key_file;
};

std::vector<kind> kinds()
{
    return {{"HS256", hmac, phrase}, {"RS256", rsa(), rsa().pem()}, {"ES256", ec(), ec().pem()}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(jwt)

BOOST_AUTO_TEST_CASE(each_kind_of_key_takes_the_tokens_signed_with_it)
{
    for (const auto& each : kinds())
        BOOST_TEST_CONTEXT(each.algorithm)
        {
            check_good(each.signer.token(each.algorithm, claims()), each.key_file);
            const std::string header = std::string(R"({"typ":"JWT","kid":"any","alg":")") + each.algorithm + "\"}";
            check_good(each.signer.token(each.algorithm, claims(), header), each.key_file);
        }
}

BOOST_AUTO_TEST_CASE(no_key_takes_the_tokens_of_another)
{
    const auto other_rsa = jwt_signer::rsa();
    const auto other_ec = jwt_signer::ec();
    check_refused(jwt_signer::secret(phrase + ".").token("HS256", claims()), phrase, wrong);
    check_refused(other_rsa.token("RS256", claims()), rsa().pem(), wrong);
    check_refused(other_ec.token("ES256", claims()), ec().pem(), wrong);
    for (const auto& key : kinds())
        for (const auto& token : kinds())
            if (std::string_view(key.algorithm) != token.algorithm)
                BOOST_TEST_CONTEXT(token.algorithm << " for " << key.algorithm)
                {
                    check_refused(token.signer.token(token.algorithm, claims()), key.key_file, no_key);
                }
}

BOOST_AUTO_TEST_CASE(the_header_cannot_choose_the_algorithm)
{
    const auto header = [](const std::string& algorithm) { return R"({"alg":")" + algorithm + "\"}"; };
    for (const std::string algorithm :
         {"none", "None", "NONE", "nOnE", "", "hs256", "HS384", "HS512", "RS256", "ES256", "HS256 "})
        BOOST_TEST_CONTEXT("secret, " << algorithm)
        {
            check_refused(hmac.token("HS256", claims(), header(algorithm)), phrase, no_key);
            check_refused(hmac.token(algorithm, claims(), header(algorithm)), phrase, no_key);
        }
    for (const std::string algorithm : {"none", "HS256", "HS512", "RS384", "RS512", "PS256", "PS512", "ES256"})
        BOOST_TEST_CONTEXT("RSA, " << algorithm)
        {
            check_refused(rsa().token(algorithm, claims()), rsa().pem(), no_key);
        }
    for (const std::string algorithm : {"none", "HS256", "RS256", "ES384", "ES512", "ES256K"})
        BOOST_TEST_CONTEXT("EC, " << algorithm) { check_refused(ec().token(algorithm, claims()), ec().pem(), no_key); }
    // without a signature
    const auto bare = base64url(header("none")) + '.' + base64url(claims()) + '.';
    for (const auto& each : kinds())
        BOOST_TEST_CONTEXT(each.algorithm) { check_refused(bare, each.key_file, no_jwt); }
}

BOOST_AUTO_TEST_CASE(a_public_key_is_no_secret)
{
    for (const auto* key : {&rsa(), &ec()})
    {
        const auto pem = key->pem();
        for (const auto& secret : {pem, pem.substr(0, pem.size() - 1), key->jwk(), jwks(key->jwk())})
            for (const auto& file : {pem, jwks(key->jwk())})
                check_refused(jwt_signer::secret(secret).token("HS256", claims()), file, no_key);
    }
}

BOOST_AUTO_TEST_CASE(a_key_in_the_token_is_not_looked_at)
{
    const auto mine = jwt_signer::rsa();
    for (const auto& member : {R"("jwk":)" + mine.jwk(), std::string(R"("jku":"https://example.org/keys")"),
                               std::string(R"("x5c":["MIIB"])")})
        BOOST_TEST_CONTEXT(member)
        {
            check_refused(mine.token("RS256", claims(), R"({"alg":"RS256",)" + member + "}"), rsa().pem(), wrong);
        }
}

BOOST_AUTO_TEST_CASE(headers_that_are_not_as_they_must_be_are_refused)
{
    for (const std::string header :
         {"{}", "[]", "null", "42", "\"HS256\"", "{", "", "{\"alg\":256}", "{\"alg\":null}", "{\"alg\":[\"HS256\"]}",
          R"({"alg":"HS256","kid":1})", R"({"alg":"HS256","kid":null})", R"({"alg":"HS256","crit":["exp"],"exp":1})",
          R"({"alg":"HS256","crit":[]})", R"({"alg":"HS256","crit":"b64","b64":false})",
          R"({"alg":"HS256"} )"
          "x",
          "{\"alg\":\"HS256\",\"x\":\"\xff\"}"})
        BOOST_TEST_CONTEXT(header)
        {
            const auto input = base64url(header) + '.' + base64url(claims());
            check_refused(input + '.' + base64url(hmac.signature("HS256", input)), phrase, no_jwt);
        }
    check_refused(hmac.token("HS256", claims(), R"({"alg":"HS256","alg":"none"})"), phrase, no_key);
    check_refused(hmac.token("HS256", claims(), R"({"alg":"HS256\u0000"})"), phrase, no_key);
    const std::string deep = R"({"alg":"HS256","x":)" + std::string(33, '[') + std::string(33, ']') + "}";
    check_refused(hmac.token("HS256", claims(), deep), phrase, no_jwt);
}

BOOST_AUTO_TEST_CASE(a_kid_selects_the_key)
{
    const auto a = jwt_signer::rsa();
    const auto set = jwks(a.jwk(R"("kid":"a","use":"sig","alg":"RS256",)") + "," + ec().jwk(R"("kid":"b",)") + "," +
                          rsa().jwk(R"("kid":"c","key_ops":["verify"],)"));
    const auto header = [](const std::string& algorithm, const std::string& kid)
    { return R"({"alg":")" + algorithm + R"(","kid":")" + kid + "\"}"; };
    check_good(a.token("RS256", claims(), header("RS256", "a")), set);
    check_good(ec().token("ES256", claims(), header("ES256", "b")), set);
    check_good(rsa().token("RS256", claims(), header("RS256", "c")), set);
    check_refused(rsa().token("RS256", claims(), header("RS256", "a")), set, wrong);
    check_refused(rsa().token("RS256", claims(), header("RS256", "b")), set, no_key);
    check_refused(ec().token("ES256", claims(), header("ES256", "a")), set, no_key);
    for (const std::string unknown : {"d", "", "A", "a\\u0000", "../a"})
        BOOST_TEST_CONTEXT(unknown)
        {
            check_refused(a.token("RS256", claims(), header("RS256", unknown)), set, no_key);
        }
    check_refused(a.token("RS256", claims()), set, no_key); // which?

    const auto one = jwks(ec().jwk(R"("kid":"b",)"));
    check_good(ec().token("ES256", claims()), one);
    check_refused(ec().token("ES256", claims(), header("ES256", "c")), one, no_key);
    check_good(ec().token("ES256", claims(), header("ES256", "c")), jwks(ec().jwk()));
}

struct claim_row
{
    const char* claims;
    const char* why; ///< empty: it stands
};

const claim_row claim_rows[] = {
    {R"({"sub":"42","exp":1799999971})", ""}, // within the leeway
    {R"({"sub":"42","exp":1799999970})", "the token has expired"},
    {R"({"sub":"42","exp":1799999970.5})", ""},
    {R"({"sub":"42","exp":1.8e9})", ""},
    {R"({"sub":"42","exp":0})", "the token has expired"},
    {R"({"sub":"42","exp":-1})", "the token has expired"},
    {R"({"sub":"42","exp":18446744073709551615})", ""},
    {R"({"sub":"42"})", "the token has no valid exp"},
    {R"({"sub":"42","exp":"1800000060"})", "the token has no valid exp"},
    {R"({"sub":"42","exp":null})", "the token has no valid exp"},
    {R"({"sub":"42","exp":true})", "the token has no valid exp"},
    {R"({"sub":"42","exp":[1800000060]})", "the token has no valid exp"},
    {R"({"sub":"42","EXP":1800000060})", "the token has no valid exp"},
    {R"({"sub":"42","exp":1800000060,"nbf":1800000030})", ""}, // within the leeway
    {R"({"sub":"42","exp":1800000060,"nbf":1800000031})", "the token is not valid yet"},
    {R"({"sub":"42","exp":1800000060,"nbf":"1"})", "the token has no valid nbf"},
    {R"({"sub":"42","exp":1800000060,"nbf":null})", "the token has no valid nbf"},
    {R"({"exp":1800000060})", "the token has no valid sub"},
    {R"({"sub":42,"exp":1800000060})", "the token has no valid sub"},
    {R"({"sub":null,"exp":1800000060})", "the token has no valid sub"},
    {R"({"sub":["42"],"exp":1800000060})", "the token has no valid sub"},
    {R"({"sub":{"42":1},"exp":1800000060})", "the token has no valid sub"},
    {R"({"sub":"42","exp":1800000060,"aud":"marquee"})", "the token is for another audience"},
    {R"({"sub":"42","exp":1800000060,"aud":[]})", "the token is for another audience"},
    {R"({"sub":"42","exp":1800000060,"iss":7,"iat":"x","more":{}})", ""},
    {R"(["sub","42"])", "the claims of the token are no JSON object"},
    {R"("sub")", "the claims of the token are no JSON object"},
    {R"({"sub":"42","exp":1800000060)", "the claims of the token are no JSON object"},
    {R"({"sub":"42","exp":1800000060}})", "the claims of the token are no JSON object"},
    {R"({"sub":"42","exp":NaN})", "the claims of the token are no JSON object"},
    {R"({"sub":"42","exp":Infinity})", "the claims of the token are no JSON object"},
    {"{\"sub\":\"42\",\"exp\":1800000060,\"x\":\"\xc3\x28\"}", "the claims of the token are no JSON object"},
};

BOOST_AUTO_TEST_CASE(claims_must_be_there_of_the_right_type_and_in_time)
{
    for (const auto& row : claim_rows)
        BOOST_TEST_CONTEXT(row.claims)
        {
            const auto token = hmac.token("HS256", row.claims);
            if (std::string_view(row.why).empty())
                check_good(token, phrase);
            else
                check_refused(token, phrase, row.why);
        }
    const std::string deep = claims(",\"x\":" + std::string(33, '[') + std::string(33, ']'));
    check_refused(hmac.token("HS256", deep), phrase, "the claims of the token are no JSON object");
    BOOST_TEST(subject(hmac.token("HS256", R"({"sub":"4\u00002","exp":1800000060})"), phrase).value() ==
               std::string("4\0002", 3));
    const auto endless = subject(hmac.token("HS256", R"({"sub":"42","exp":1e999})"), phrase);
    BOOST_TEST(endless.has_error()); // for ever is no date
}

BOOST_AUTO_TEST_CASE(issuer_and_audience_are_compared_where_they_are_expected)
{
    const jwt_expectations expected{"https://login.example", "marquee"};
    const auto with = [](const std::string& more) { return hmac.token("HS256", claims(more)); };
    const std::string iss = R"(,"iss":"https://login.example")";
    const std::string aud = R"(,"aud":"marquee")";
    check_good(with(iss + aud), phrase, expected);
    check_good(with(iss + R"(,"aud":["other","marquee"])"), phrase, expected);
    check_good(with(iss), phrase, {expected.issuer, ""});
    check_good(with(aud), phrase, {"", expected.audience});
    for (const std::string other : {R"()", R"(,"iss":"https://login.example/")", R"(,"iss":"HTTPS://login.example")",
                                    R"(,"iss":null)", R"(,"iss":["https://login.example"])", R"(,"iss":"")"})
        BOOST_TEST_CONTEXT(other)
        {
            check_refused(with(other + aud), phrase, "the token is of another issuer", expected);
        }
    for (const std::string other : {R"()", R"(,"aud":"Marquee")", R"(,"aud":["other"])", R"(,"aud":[["marquee"]])",
                                    R"(,"aud":{"marquee":1})", R"(,"aud":null)", R"(,"aud":"other marquee")"})
        BOOST_TEST_CONTEXT(other)
        {
            check_refused(with(iss + other), phrase, "the token is for another audience", expected);
        }
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_signature_is_noticed)
{
    for (const auto& each : kinds())
    {
        const auto token = each.signer.token(each.algorithm, claims());
        const auto signature = signature_of(token);
        const auto keys = read_jwt_keys(each.key_file).value();
        const clock_type::time_point at{std::chrono::seconds(noon)};
        const std::size_t step = signature.size() > 64 ? 3 : 1; // of RSA, bits 0, 3, 6 of byte 0, 1, 4, 7 of byte 1, …
        for (std::size_t bit = 0; bit < signature.size() * 8; bit += step)
        {
            auto flipped = signature;
            flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
            const auto found = jwt_subject(resigned(token, flipped), keys, {}, at);
            BOOST_REQUIRE_MESSAGE(found.has_error(), each.algorithm << " bit " << bit);
            BOOST_REQUIRE(found.error().detail == wrong);
        }
        BOOST_TEST(jwt_subject(resigned(token, signature), keys, {}, at).has_value());
    }
}

BOOST_AUTO_TEST_CASE(every_changed_character_of_a_token_is_noticed)
{
    const auto token = hmac.token("HS256", claims());
    const auto keys = read_jwt_keys(phrase).value();
    const clock_type::time_point at{std::chrono::seconds(noon)};
    for (std::size_t i = 0; i < token.size(); ++i)
        for (int byte = 1; byte < 256; byte += (byte < 32 || byte > 126) ? 13 : 1)
        {
            auto changed = token;
            changed[i] = static_cast<char>(byte);
            if (changed != token)
                BOOST_REQUIRE_MESSAGE(jwt_subject(changed, keys, {}, at).has_error(), i << ' ' << byte);
        }
    for (std::size_t length = 0; length < token.size(); ++length)
        BOOST_REQUIRE_MESSAGE(jwt_subject(token.substr(0, length), keys, {}, at).has_error(), length);
    for (std::size_t i = 0; i <= token.size(); ++i)
        for (const char more : {'.', 'A', '=', ' ', '\n', '\0', '-'})
        {
            auto longer = token;
            longer.insert(i, 1, more);
            BOOST_REQUIRE_MESSAGE(jwt_subject(longer, keys, {}, at).has_error(), i << ' ' << int(more));
        }
}

BOOST_AUTO_TEST_CASE(what_is_no_compact_serialisation_is_refused)
{
    const auto token = hmac.token("HS256", claims());
    const auto h = token.substr(0, token.find('.'));
    const auto p = token.substr(h.size() + 1, token.rfind('.') - h.size() - 1);
    const auto s = token.substr(token.rfind('.') + 1);
    for (const auto& text :
         std::vector<std::string>{"",
                                  ".",
                                  "..",
                                  "...",
                                  h,
                                  h + "." + p,
                                  h + "." + p + ".",
                                  "." + p + "." + s,
                                  h + ".." + s,
                                  h + "." + p + "." + s + ".",
                                  "." + h + "." + p + "." + s,
                                  h + "." + p + ".." + s,
                                  h + "." + p + "." + s + "." + s,
                                  h + "." + p + "." + s + "." + s + "." + s,
                                  h + "." + p + "." + s + "=",
                                  h + "=." + p + "." + s,
                                  h + "==." + p + "." + s,
                                  " " + token,
                                  token + " ",
                                  h + ". " + p + "." + s,
                                  "Bearer " + token,
                                  std::string(4096, '.'),
                                  std::string(4096, 'A'),
                                  R"({"payload":")" + p + R"(","protected":")" + h + R"(","signature":")" + s + "\"}"})
        BOOST_TEST_CONTEXT(text.substr(0, 100)) { check_refused(text, phrase, no_jwt); }
    check_good(token, phrase);
}

BOOST_AUTO_TEST_CASE(signatures_of_another_length_are_refused)
{
    for (const auto& each : kinds())
        BOOST_TEST_CONTEXT(each.algorithm)
        {
            const auto token = each.signer.token(each.algorithm, claims());
            const auto right = signature_of(token);
            for (const auto& signature : {right.substr(0, right.size() - 1), right.substr(1),
                                          right.substr(0, right.size() / 2), right.substr(0, 1), right + '\0',
                                          '\0' + right, right + right, std::string(1, '\0') + right.substr(0, 1)})
                check_refused(resigned(token, signature), each.key_file, wrong);
            for (const char filler : {'\0', '\1', '\xff'})
                check_refused(resigned(token, std::string(right.size(), filler)), each.key_file, wrong);
        }
    // r and s with one zero more in front, and as DER
    const auto token = ec().token("ES256", claims());
    const auto right = signature_of(token);
    check_refused(resigned(token, '\0' + right.substr(0, 32) + '\0' + right.substr(32)), ec().pem(), wrong);
    auto* parsed = ECDSA_SIG_new();
    const auto* bytes = reinterpret_cast<const unsigned char*>(right.data());
    ECDSA_SIG_set0(parsed, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(parsed, &der);
    check_refused(resigned(token, std::string(reinterpret_cast<char*>(der), static_cast<std::size_t>(size))),
                  ec().pem(), wrong);
    OPENSSL_free(der);
    ECDSA_SIG_free(parsed);
}

/// A good token of this size. Base64 leaves out one length in four, so the header gives way too.
std::string token_of_size(std::size_t size)
{
    for (const std::string header : {R"({"alg":"HS256"})", R"({"alg":"HS256" })"})
        for (std::size_t fill = size / 2; fill < size; ++fill)
            if (auto token = hmac.token("HS256", claims(",\"x\":\"" + std::string(fill, 'x') + '"'), header);
                token.size() == size)
                return token;
    throw std::logic_error("no token has this size");
}

BOOST_AUTO_TEST_CASE(a_token_has_8192_bytes_at_most)
{
    BOOST_TEST(longest_jwt == 8192U);
    check_good(token_of_size(8192), phrase);
    check_refused(token_of_size(8193), phrase, "the token is longer than 8192 bytes");
    check_refused(std::string(1 << 20, 'A'), phrase, "the token is longer than 8192 bytes");
}

struct key_row
{
    std::string text;
    std::string why; ///< empty: it is one
};

std::vector<key_row> key_rows()
{
    const auto& r = rsa();
    const auto& e = ec();
    const auto p384 = jwt_signer::ec("P-384");
    const auto small = jwt_signer::rsa(1024);
    const auto k1 = jwt_signer::ec("secp256k1");
    const char* neither =
        "it is neither a PEM public key nor a JWKS nor a secret: 32 or more printable characters in one line";
    const char* no_set = R"(the JWKS is not JSON of the form {"keys":[...]})";
    const std::string none = "the JWKS holds no key for RS256 or ES256";
    return {
        {std::string(32, 'x'), ""},
        {"\r\n  " + std::string(32, 'x') + " \n\n", ""},
        {" \n" + r.pem() + "\n", ""},
        {e.pem(), ""},
        {"", "it is empty"},
        {" \n", "it is empty"},
        {std::string(31, 'x'), "an HS256 secret has 32 or more characters"},
        {std::string(20, 'x') + " " + std::string(20, 'x'), neither},
        {std::string(40, 'x') + "\n" + std::string(40, 'x'), neither},
        {std::string(40, 'x') + '\0', neither},
        {std::string(40, '\xff'), neither},
        {unbase64url("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"), neither},
        {"Public-Key: (2048 bit)\n" + r.pem(), ""},
        {"\xEF\xBB\xBF" + r.pem(), ""},
        {"\xEF\xBB\xBF" + jwks(r.jwk()), ""},
        {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7", neither},
        {r.private_pem(), "the PEM text is a private key: the edge needs the public one"},
        {e.private_pem(), "the PEM text is a private key: the edge needs the public one"},
        {r.pem().substr(0, 200), "the PEM text is damaged"},
        {"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "the PEM text is damaged"},
        {"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "the PEM text is damaged"},
        {r.pem() + e.pem(), "a PEM file holds one key or certificate; several keys are a JWKS"},
        {small.pem(), "an RSA key has 2048 to 8192 bits"},
        {p384.pem(), "a public key is an RSA key or an EC key on the curve P-256"},
        {k1.pem(), "the key is damaged"},
        {jwks(r.jwk()), ""},
        {jwks(r.jwk(R"("kid":"a",)") + ',' + e.jwk(R"("kid":"b",)")), ""},
        {jwks(r.jwk(R"("kid":"a",)") + ',' + p384.jwk() + ',' + hmac.jwk() + R"(,{"kty":"OKP"},{},7)"),
         ""}, // passed over
        {"{", no_set},
        {"[" + r.jwk() + "]", no_set},
        {r.jwk(), no_set},
        {R"({"keys":{}})", no_set},
        {jwks(""), none},
        {jwks(hmac.jwk()), none + " (key 1: its kty is neither RSA nor EC)"},
        {jwks(p384.jwk()), none + " (key 1: it is not on the curve P-256)"},
        {jwks(r.jwk(R"("use":"enc",)")), none + " (key 1: it is not for signatures)"},
        {jwks(r.jwk(R"("key_ops":["sign"],)")), none + " (key 1: it is not for signatures)"},
        {jwks(r.jwk(R"("alg":"PS256",)")), none + " (key 1: its alg is not RS256)"},
        {jwks(r.jwk(R"("alg":"HS256",)")), none + " (key 1: its alg is not RS256)"},
        {jwks(e.jwk(R"("alg":"RS256",)")), none + " (key 1: its alg is not ES256)"},
        {jwks(e.jwk(R"("d":"AAAA",)")), none + " (key 1: it is private: the edge needs the public one)"},
        {jwks(small.jwk()), none + " (key 1: an RSA key has 2048 to 8192 bits)"},
        {jwks(R"({"kty":"RSA","e":"AQAB"})"), none + " (key 1: its n is missing, or no base64url)"},
        {jwks(R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})"), none + " (key 1: the key is damaged)"},
        {jwks(R"({"kty":"RSA","n":7,"e":"AQAB"})"), none + " (key 1: its n is missing, or no base64url)"},
        {jwks(R"({"kty":"RSA","n":"AAAA","e":"A"})"), none + " (key 1: its e is missing, or no base64url)"},
        {jwks(R"({"kty":"EC","crv":"P-256","x":"AA=A","y":"AAAA"})"),
         none + " (key 1: its x is missing, or no base64url)"}, // cjose aborts
        {jwks(R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAA="})"),
         none + " (key 1: its y is missing, or no base64url)"},
        {jwks(r.jwk(R"("kid":7,)")), none + " (key 1: its kid is no text, or empty)"},
        {jwks(r.jwk(R"("kid":"",)")), none + " (key 1: its kid is no text, or empty)"},
        {jwks(r.jwk(R"("kid":"a",)") + ',' + e.jwk()), ""},
        {jwks(r.jwk(R"("kid":"a",)") + ',' + e.jwk(R"("kid":"a",)")), ""},
        {jwks(small.jwk() + ',' + e.jwk(R"("d":"AAAA",)") + R"(,{"kty":"RSA","e":"AQAB"},)" + r.jwk(R"("kid":"a",)")),
         ""},
        {r.certificate_pem(), ""},
        {e.certificate_pem(), ""},
        {"subject=CN = a\n" + r.certificate_pem(), ""},
        {r.certificate_pem() + e.certificate_pem(), "a PEM file holds one key or certificate; several keys are a JWKS"},
    };
}

BOOST_AUTO_TEST_CASE(keys_of_one_kid_are_told_apart_and_those_of_no_use_leave_the_others_in_place)
{
    const auto with = [](const char* algorithm, const char* kid)
    { return std::string(R"({"alg":")") + algorithm + R"(","kid":")" + kid + "\"}"; };
    const auto other = jwt_signer::rsa();
    const auto both = jwks(rsa().jwk(R"("kid":"a",)") + ',' + ec().jwk(R"("kid":"a",)"));
    check_good(rsa().token("RS256", claims(), with("RS256", "a")), both);
    check_good(ec().token("ES256", claims(), with("ES256", "a")), both);
    check_good(ec().token("ES256", claims()), both); // the only one of its algorithm
    check_refused(rsa().token("RS256", claims(), with("RS256", "b")), both, no_key);
    const auto twice = jwks(other.jwk(R"("kid":"a",)") + ',' + rsa().jwk(R"("kid":"a",)"));
    check_good(rsa().token("RS256", claims(), with("RS256", "a")), twice);
    check_good(other.token("RS256", claims(), with("RS256", "a")), twice);
    check_refused(jwt_signer::rsa().token("RS256", claims(), with("RS256", "a")), twice, wrong);
    const auto one_nameless = jwks(rsa().jwk() + ',' + ec().jwk(R"("kid":"b",)"));
    check_good(rsa().token("RS256", claims(), with("RS256", "any")), one_nameless);
    check_good(ec().token("ES256", claims(), with("ES256", "b")), one_nameless);
    const auto second_nameless = jwks(rsa().jwk() + ',' + other.jwk());
    check_good(rsa().token("RS256", claims()), second_nameless);
    check_refused(other.token("RS256", claims()), second_nameless, wrong);
    const auto among_rubbish = jwks(jwt_signer::rsa(1024).jwk(R"("kid":"s",)") + R"(,{"kty":"OKP","kid":"o"},7,{},)" +
                                    rsa().jwk(R"("kid":"a",)"));
    check_good(rsa().token("RS256", claims(), with("RS256", "a")), among_rubbish);
    check_good(rsa().token("RS256", claims()), rsa().certificate_pem());
}

BOOST_AUTO_TEST_CASE(a_key_file_is_what_it_says_or_an_error)
{
    for (const auto& row : key_rows())
        BOOST_TEST_CONTEXT(row.text.substr(0, 300))
        {
            const auto keys = read_jwt_keys(row.text);
            BOOST_TEST((keys.has_value() ? std::string() : keys.error().detail) == row.why);
        }
}

BOOST_AUTO_TEST_SUITE_END()
