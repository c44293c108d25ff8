// natscli's contexts, as the programs take them: against a broker that insists on what they say.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/nats_calls.hpp"
#include "tests/support/ports.hpp"

#include <cstdlib>

using namespace marquee::test;

namespace
{

// An operator, its system account, an account without JetStream, a user of it, and another one
// whose JWT is a bearer token. None of them expires.
constexpr const char* operator_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiI5Zjg2ZDA4MTg4NGM3ZDY1IiwiaWF0IjoxNzAwMDAwM"
    "DAwLCJpc3MiOiJPQUEyVkQ0VVBCSUxRVkxEUlcyN0NNVFA1RlNOVlQ3NUpDTTJRQkM1UFpBWjNNQkJHQzMyR1FYMiIsIm5hbWUiO"
    "iJ0ZXN0Iiwic3ViIjoiT0FBMlZENFVQQklMUVZMRFJXMjdDTVRQNUZTTlZUNzVKQ00yUUJDNVBaQVozTUJCR0MzMkdRWDIiLCJuY"
    "XRzIjp7InR5cGUiOiJvcGVyYXRvciIsInZlcnNpb24iOjJ9fQ.ICblU0ONec-yvCKfCCsKV4a0W0zxKHgHdpm3CwvKIIQpRS-vFt"
    "fbzjiBANfcyzRVRZpbfwMMcsgxn1QJywn2AQ";
constexpr const char* system_key = "AACFDVS3F2ODAL22HANOIHUER4VDUM3ERP6W72CAZKAQTG7AGP4VXAHE";
constexpr const char* system_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiI5NmJmMTgyYjJjNWQ3NTE2IiwiaWF0IjoxNzAwMDAwM"
    "DAwLCJpc3MiOiJPQUEyVkQ0VVBCSUxRVkxEUlcyN0NNVFA1RlNOVlQ3NUpDTTJRQkM1UFpBWjNNQkJHQzMyR1FYMiIsIm5hbWUiO"
    "iJTWVMiLCJzdWIiOiJBQUNGRFZTM0YyT0RBTDIySEFOT0lIVUVSNFZEVU0zRVJQNlc3MkNBWktBUVRHN0FHUDRWWEFIRSIsIm5hd"
    "HMiOnsidHlwZSI6ImFjY291bnQiLCJsaW1pdHMiOnsic3VicyI6LTEsImRhdGEiOi0xLCJwYXlsb2FkIjotMSwiaW1wb3J0cyI6L"
    "TEsImV4cG9ydHMiOi0xLCJ3aWxkY2FyZHMiOnRydWUsImNvbm4iOi0xLCJsZWFmIjotMX0sImRlZmF1bHRfcGVybWlzc2lvbnMiO"
    "nsicHViIjp7fSwic3ViIjp7fX0sInZlcnNpb24iOjJ9fQ.rbm0crtvtrG6mv9FuVszp7Nu76ue0o_nXtSv4fIMkXETQikyhi_vZ1"
    "R3HNqKOzw1fvZfF26HNE-CqYsCfLbZDQ";
constexpr const char* account_key = "ADERNCYRYKUIZR6QIMHHH445FLBVWCIFDEJBEMQ625DEZBH34XTNRA5M";
constexpr const char* account_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJhMTcyY2VkY2FlNDc0NzRiIiwiaWF0IjoxNzAwMDAwM"
    "DAwLCJpc3MiOiJPQUEyVkQ0VVBCSUxRVkxEUlcyN0NNVFA1RlNOVlQ3NUpDTTJRQkM1UFpBWjNNQkJHQzMyR1FYMiIsIm5hbWUiO"
    "iJhcHAiLCJzdWIiOiJBREVSTkNZUllLVUlaUjZRSU1ISEg0NDVGTEJWV0NJRkRFSkJFTVE2MjVERVpCSDM0WFROUkE1TSIsIm5hd"
    "HMiOnsidHlwZSI6ImFjY291bnQiLCJsaW1pdHMiOnsic3VicyI6LTEsImRhdGEiOi0xLCJwYXlsb2FkIjotMSwiaW1wb3J0cyI6L"
    "TEsImV4cG9ydHMiOi0xLCJ3aWxkY2FyZHMiOnRydWUsImNvbm4iOi0xLCJsZWFmIjotMX0sImRlZmF1bHRfcGVybWlzc2lvbnMiO"
    "nsicHViIjp7fSwic3ViIjp7fX0sInZlcnNpb24iOjJ9fQ.MEKhZ4sARMmx2bylFWzcEBzOaIniwlJHB2Y7S2wp3B-OCofgwYaDbb"
    "H-XUBGCFsvZxAalPsZrOl5JzxJ5ZfXBg";
constexpr const char* user_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiI3ODY3NWNjMTc2MDgxMzcyIiwiaWF0IjoxNzAwMDAwM"
    "DAwLCJpc3MiOiJBREVSTkNZUllLVUlaUjZRSU1ISEg0NDVGTEJWV0NJRkRFSkJFTVE2MjVERVpCSDM0WFROUkE1TSIsIm5hbWUiO"
    "iJqb2UiLCJzdWIiOiJVQlgyNTJENlJVT1hFV0RPTEVONlRSTFhIQjZCUjVUVlBKQlhDTUo3T0EyN1ZTTFRPVklPWkRXVSIsIm5hd"
    "HMiOnsidHlwZSI6InVzZXIiLCJwdWIiOnt9LCJzdWIiOnt9LCJzdWJzIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJ2ZXJza"
    "W9uIjoyfX0.UfXAEPFQzvr3hbIxy8ZWOaJyI8a3480_nJ10MyX4eljWe6zeI6-RdSfdyXCHq7CrgPVPEk5nnugLvcfMmjWyAQ";
constexpr const char* user_seed = "SUACHAQ475EOC2WUGH7EBNR24NC2UEJC3VKSQUWDJYQWVEP4RNZOTNTM7I";
constexpr const char* bearer_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiIyNDU0YWQ2MWMyYWNjMDRmIiwiaWF0IjoxNzAwMDAwM"
    "DAwLCJpc3MiOiJBREVSTkNZUllLVUlaUjZRSU1ISEg0NDVGTEJWV0NJRkRFSkJFTVE2MjVERVpCSDM0WFROUkE1TSIsIm5hbWUiO"
    "iJiZWFyZXIiLCJzdWIiOiJVQUw2UlVGTUZXRDZTVFFTT0RVN0VNSDc3RERZN1VRSklXSUZaU0xIQ1FVQVlOWVJLMjRUWEhWWSIsI"
    "m5hdHMiOnsidHlwZSI6InVzZXIiLCJwdWIiOnt9LCJzdWIiOnt9LCJzdWJzIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJiZ"
    "WFyZXJfdG9rZW4iOnRydWUsInZlcnNpb24iOjJ9fQ.Ll8A5c6jCn3i4R1dLMy7zuvzuSJqDG4ITjhkpvnppoXr9EWEuhn1u6C9SA"
    "7TZEOp1MLqZThy1hLq5Ee2lJERCg";

/// A home with contexts in it.
class contexts
{
public:
    contexts() { std::filesystem::create_directories(folder_.file("nats/context")); }

    /// Returns the file.
    [[nodiscard]] std::string add(const std::string& name, const std::string& text) const
    {
        return folder_.write("nats/context/" + name + ".json", text);
    }
    void select(const std::string& name) const { (void)folder_.write("nats/context.txt", name); }
    [[nodiscard]] variables environment() const { return {{"XDG_CONFIG_HOME", folder_.file("")}}; }
    [[nodiscard]] const temporary_folder& folder() const { return folder_; }

private:
    temporary_folder folder_;
};

/// A context with the broker's URL, and these further members.
std::string context_of(const nats_server& broker, const std::string& members)
{
    return R"({"url":")" + broker.url() + "\"" + (members.empty() ? "" : "," + members) + "}";
}

/// Checks that a program gets as far as a link to the broker.
void check_connects(const contexts& home, const words& arguments, const std::string& name = "metadata")
{
    BOOST_TEST_CONTEXT(name << ' ' << arguments.back())
    {
        const temporary_folder folder;
        const auto one = start(name, folder, arguments, home.environment());
        BOOST_TEST(one->wait_for_line("broker link up", std::chrono::seconds(60)).has_value(), one->output());
    }
}

/// Plays until a play is answered with its counts: reporting joins its queue group in its own time.
bool plays(int port)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < end)
    {
        const auto play = http(port, {"POST", "/play/asset/123/user/1"});
        if (play.status == 200 && !holds(play.body, "degraded"))
            return true;
    }
    return false;
}

void check_refused(const contexts& home, const words& arguments, int code, const std::string& said)
{
    const auto refused = run("metadata", arguments, home.environment());
    BOOST_TEST(refused.code == code, refused.output);
    BOOST_TEST(refused.lines() == 1, refused.output);
    BOOST_TEST(holds(refused.output, said), refused.output);
}

} // namespace

BOOST_AUTO_TEST_SUITE(program_contexts)

BOOST_AUTO_TEST_CASE(every_program_takes_a_context_by_name_file_or_environment)
{
    const nats_server broker("authorization { user: joe, password: geheim }");
    const contexts home;
    const auto file = home.add("ours", context_of(broker, R"("user":"joe","password":"geheim")"));
    for (const auto& name : programs)
        check_connects(home, {"--context", "ours"}, name);
    check_connects(home, {"--context", file});
    const contexts elsewhere;
    const temporary_folder folder;
    const auto by_environment = start("metadata", folder, {}, {{"NATS_CONTEXT", file}});
    BOOST_TEST(by_environment->wait_for_line("broker link up", std::chrono::seconds(60)).has_value());
    check_refused(elsewhere, {"--context", "ours"}, 2, "context ours: ");
    (void)home.add("lost", R"({"url":"nats://127.0.0.1:1","user":"joe","password":"geheim"})");
    check_connects(home, {"--context", "lost", "--server", broker.url()}); // what is given wins
}

BOOST_AUTO_TEST_CASE(a_users_jwt_comes_from_a_context_with_its_seed_or_as_a_bearer_token)
{
    const nats_server broker(std::string("operator: ") + operator_jwt +
                             "\nresolver: MEMORY\nsystem_account: " + system_key + "\nresolver_preload { " +
                             system_key + ": " + system_jwt + "\n" + account_key + ": " + account_jwt + " }\n");
    const contexts home;
    const auto jwt = [](const char* text) { return std::string(R"("user_jwt":")") + text + '"'; };
    const auto seed = std::string(R"("user_seed":")") + user_seed + '"';
    (void)home.add("signed", context_of(broker, jwt(user_jwt) + "," + seed));
    check_connects(home, {"--context", "signed"});
    (void)home.add("bearer", context_of(broker, jwt(bearer_jwt)));
    check_connects(home, {"--context", "bearer"});
    (void)home.add("unsigned", context_of(broker, jwt(user_jwt)));
    check_refused(home, {"--context", "unsigned"}, 1, "cannot connect to ");
}

BOOST_AUTO_TEST_CASE(a_tool_follows_the_selected_context_and_names_it_first)
{
    const nats_server ours;
    const nats_server prod;
    const contexts home;
    (void)home.add("prod", context_of(prod, {}));
    home.select("prod");
    const temporary_folder folder;
    const auto file = folder.write("events", "");
    const auto replay = run("replay", {file}, home.environment());
    const auto first = "marquee-replay: context prod, server " + prod.url() + "\n";
    BOOST_TEST(replay.output.starts_with(first), replay.output);
    const auto titles = folder.write("titles.csv", "id,title\n5,It\n");
    const auto import = run("import", {titles, "--timeout", "50ms"}, home.environment());
    BOOST_TEST(import.output.starts_with("marquee-import: context prod, server " + prod.url() + "\n"), import.output);
    const auto elsewhere = run("replay", {file, "--server", ours.url()}, home.environment());
    BOOST_TEST(!holds(elsewhere.output, "prod"), elsewhere.output);
    BOOST_TEST(!holds(elsewhere.output, prod.url()), elsewhere.output);
}

BOOST_AUTO_TEST_CASE(what_this_program_cannot_honour_is_wrong_usage)
{
    const contexts home;
    (void)home.add("tunnel", R"({"socks_proxy":"socks5://joe:geheim@127.0.0.1:1"})");
    check_refused(home, {"--context", "tunnel"}, 2, "nats/context/tunnel.json: socks_proxy cannot be honoured");
}

BOOST_AUTO_TEST_CASE(a_handshake_before_the_greeting_works_or_is_refused_by_name)
{
    const contexts home;
    const auto& folder = home.folder();
    const auto certificate = folder.file("server.pem");
    const auto key = folder.file("server.key");
    const auto made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
                      "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout " +
                      key + " -out " + certificate + " >/dev/null 2>&1";
    BOOST_TEST_REQUIRE(std::system(made.c_str()) == 0);
    const nats_server broker("tls { cert_file: \"" + certificate + "\", key_file: \"" + key +
                             "\", handshake_first: true }");
    (void)home.add("first", context_of(broker, R"("tls_first":true,"ca":")" + certificate + '"'));
    const words by_option = {"--tlsfirst", "--tlsca", certificate, "--server", broker.url()};
    const words by_context = {"--context", "first"};
    for (const auto& arguments : {by_option, by_context})
    {
        const auto tried = start("metadata", folder, arguments, home.environment());
        if (tried->wait_for_line("broker link up", std::chrono::seconds(60)))
            continue;
        const auto ended = tried->wait(std::chrono::seconds(60));
        BOOST_TEST(ended.value_or(-1) == 2, tried->output()); // nats.c before 3.9
        BOOST_TEST(holds(tried->output(), "needs nats.c 3.9 or newer"), tried->output());
    }
}

BOOST_AUTO_TEST_CASE(with_a_domain_all_state_is_in_another_servers_jetstream)
{
    const temporary_folder stores;
    const auto jetstream = [&](const std::string& domain)
    { return "jetstream { store_dir: \"" + stores.file(domain) + "\", domain: " + domain + " }\n"; };
    const auto port = std::to_string(free_port());
    const nats_server hub(jetstream("hub") + "leafnodes { host: 127.0.0.1, port: " + port + " }\n");
    const nats_server leaf(jetstream("leaf") + "leafnodes { remotes: [ { url: \"nats-leaf://127.0.0.1:" + port +
                           "\" } ] }\n");
    const temporary_folder folder;
    const contexts home;
    (void)home.add("hub", context_of(leaf, R"("jetstream_domain":"hub")"));
    std::vector<std::unique_ptr<process>> started;
    for (const auto& name : programs)
        started.push_back(start(name, folder, {"--context", "hub"}, home.environment()));
    int edge = 0;
    for (std::size_t i = 0; i < programs.size(); ++i)
    {
        const auto line = serves(programs[i], *started[i]);
        BOOST_TEST_REQUIRE(line.has_value(), started[i]->output());
        if (programs[i] == "edge")
            edge = port_in(*line);
    }
    BOOST_TEST(plays(edge));
    for (const auto* stream : {"EVENTS", "KV_metadata", "KV_cdnurl"})
    {
        const auto where = marquee::subject::of({"$JS", "API", "STREAM", "INFO", stream});
        const auto there = nats_call(hub.url(), where);
        BOOST_TEST_REQUIRE(there.has_value());
        BOOST_TEST(there->as_object().contains("config"), stream);
        const auto here = nats_call(leaf.url(), where);
        BOOST_TEST_REQUIRE(here.has_value());
        BOOST_TEST(here->as_object().contains("error"), stream);
    }
    // A change is a message to a key of the bucket.
    const auto put = nats_call(leaf.url(), marquee::subject::of({"metadata", "put", "789"}),
                               R"({"title":"Alien","genre":"horror","summary":"In space"})");
    BOOST_TEST(put.has_value());
    BOOST_TEST(http(edge, {"GET", "/content/asset/789"}).status == 200);
}

BOOST_AUTO_TEST_CASE(a_domain_may_be_reached_later_through_a_server_without_jetstream)
{
    const nats_server plain("jetstream: disabled");
    const auto ended = run("metadata", {"--server", plain.url()});
    BOOST_TEST(ended.code == 1);
    BOOST_TEST(holds(ended.output, "needs JetStream, which is not enabled"), ended.output);
    const temporary_folder folder;
    const auto waits = start("metadata", folder, {"--server", plain.url(), "--js-domain", "hub"});
    BOOST_TEST(waits->wait_for_line("waiting for", std::chrono::seconds(60)).has_value(), waits->output());
    BOOST_TEST(!holds(waits->output(), "needs JetStream"), waits->output());
}

BOOST_AUTO_TEST_SUITE_END()
