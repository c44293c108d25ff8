// Every kind of credentials, by the programs' options and environment, and that secrets are not
// shown.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/wiretap.hpp"

#include <csignal>

using namespace marquee::test;

namespace
{

// An operator, its system account, an account with JetStream and a user of it, none of which
// expires.
constexpr const char* operator_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJpYXQiOjE3MDAwMDAwMDAsImlzcyI6Ik9CNFRXSkE1Tk0zTDJESkg1Q0lWVVZ"
    "IUjJIVlNYWlNOWkFaUjQ2N1A2R1JJTTRSQUU1UFVVTTVKIiwibmFtZSI6InRlc3QiLCJzdWIiOiJPQjRUV0pBNU5NM0wyREpINUNJVlVWSFIyS"
    "FZTWFpTTlpBWlI0NjdQNkdSSU00UkFFNVBVVU01SiIsIm5hdHMiOnsidHlwZSI6Im9wZXJhdG9yIiwidmVyc2lvbiI6Miwic3lzdGVtX2FjY29"
    "1bnQiOiJBQ1FLVkdITEFZTDRYVk80NzJZNlBMT0w3U0tOSDdXNVBLNERaSDc2S1dJNUJJSjJORldGUkFLQyJ9LCJqdGkiOiJLQUdRUFhZUUhYS"
    "UFSVE1BNk5DSUkzS0ZGQjJHQVlKV1NLRVAyWUUzUkdLNlZPRFNFVFlRIn0.tD_vToAgqFFZLaOwHisqNOmmIszMcwNXtk8b2LW-1FbyHgqBYhw"
    "34RDAuRTeolubs0Cu-0YbVlNv_dAgKgUXBQ";
constexpr const char* system_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJpYXQiOjE3MDAwMDAwMDAsImlzcyI6Ik9CNFRXSkE1Tk0zTDJESkg1Q0lWVVZ"
    "IUjJIVlNYWlNOWkFaUjQ2N1A2R1JJTTRSQUU1UFVVTTVKIiwibmFtZSI6IlNZUyIsInN1YiI6IkFDUUtWR0hMQVlMNFhWTzQ3Mlk2UExPTDdTS"
    "05IN1c1UEs0RFpINzZLV0k1QklKMk5GV0ZSQUtDIiwibmF0cyI6eyJ0eXBlIjoiYWNjb3VudCIsInZlcnNpb24iOjIsImxpbWl0cyI6eyJzdWJ"
    "zIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJpbXBvcnRzIjotMSwiZXhwb3J0cyI6LTEsIndpbGRjYXJkcyI6dHJ1ZSwiY29ubiI6LTEsI"
    "mxlYWYiOi0xfX0sImp0aSI6IkE0N1ZSUVMzUU5URFBFTUc2RVdDQTNPRUdONlVGWEY0SDZINUZENlJBMk9BTjQ3TDRWQkEifQ.XUCsV36Purby"
    "WAk5yFxRjRWqTBBnOkUxkMOM-LROANQ8BHG7au28Zc7Y8C0FxIOujYRLoFqEJXPq08J1ONJgBw";
constexpr const char* account_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJpYXQiOjE3MDAwMDAwMDAsImlzcyI6Ik9CNFRXSkE1Tk0zTDJESkg1Q0lWVVZ"
    "IUjJIVlNYWlNOWkFaUjQ2N1A2R1JJTTRSQUU1UFVVTTVKIiwibmFtZSI6IkFQUCIsInN1YiI6IkFDT0ZFQURYNFdVSUlaMjJWUkFOTU1CVlgyR"
    "Fo2UDJMSjRCNkZGTUhGSVNITjNVTEU1VFRFWEZIIiwibmF0cyI6eyJ0eXBlIjoiYWNjb3VudCIsInZlcnNpb24iOjIsImxpbWl0cyI6eyJzdWJ"
    "zIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJpbXBvcnRzIjotMSwiZXhwb3J0cyI6LTEsIndpbGRjYXJkcyI6dHJ1ZSwiY29ubiI6LTEsI"
    "mxlYWYiOi0xLCJtZW1fc3RvcmFnZSI6LTEsImRpc2tfc3RvcmFnZSI6LTEsInN0cmVhbXMiOi0xLCJjb25zdW1lciI6LTF9fSwianRpIjoiMjV"
    "YUkVNU1FKR0dCNzJONEFNWkdJQ1g2UVhDWDNUUFBYQ0RVR1ZJU1JJVFBYMkxDRjJGQSJ9.iFYvaQsb0WxovMhGMODWg0-UWTcapa-PhUMMR_jR"
    "mniq7TNrK48rtmGew9bADDa7VNuPGqjUfWYDqJDwULCcCg";
constexpr const char* user_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJpYXQiOjE3MDAwMDAwMDAsImlzcyI6IkFDT0ZFQURYNFdVSUlaMjJWUkFOTU1"
    "CVlgyRFo2UDJMSjRCNkZGTUhGSVNITjNVTEU1VFRFWEZIIiwibmFtZSI6ImFwcCIsInN1YiI6IlVBUzYyUlk2Q0FONlA3TE1QRE9BTkZKU0hKR"
    "FE2WkhBVFBDN0pZQjVVU0JUUVRNT1JOUzdQTExNIiwibmF0cyI6eyJ0eXBlIjoidXNlciIsInZlcnNpb24iOjIsInN1YnMiOi0xLCJkYXRhIjo"
    "tMSwicGF5bG9hZCI6LTF9LCJqdGkiOiJHUFRSVUpKQkJWN01JSVhaSldWNVdWR1o2WlNLWE9FVDJFM001NEpVVUNDSEdZUktQUkNBIn0.k8TFT"
    "cpQvsBa8bvAs7HT2-cpEuG1tkO3MHfSjvYCpYqEr2J0C953UQSq_De49IEDURvoEBVhok4EGFfA0SzeDg";
constexpr const char* system_account = "ACQKVGHLAYL4XVO472Y6PLOL7SKNH7W5PK4DZH76KWI5BIJ2NFWFRAKC";
constexpr const char* account = "ACOFEADX4WUIIZ22VRANMMBVX2DZ6P2LJ4B6FFMHFISHN3ULE5TTEXFH";
constexpr const char* jwt_seed = "SUAAJ6EZNWTWHN5JNGYQFDXDAB2WT2XTUY2UQ3O2WII5KEWILOO7R67BBI";

constexpr const char* nkey_seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
constexpr const char* nkey = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

/// One way to connect. SERVER and PORT are replaced by the broker's.
struct way
{
    words arguments;
    variables environment = {};
};

void replace(std::string& in, const std::string& what, const std::string& with)
{
    for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + with.size()))
        in.replace(at, what.size(), with);
}

way filled_in(way one, const nats_server& broker)
{
    const auto fill = [&](std::string& in)
    {
        replace(in, "SERVER", broker.url());
        replace(in, "PORT", std::to_string(broker.port()));
    };
    for (auto& word : one.arguments)
        fill(word);
    for (auto& [name, value] : one.environment)
        fill(value);
    return one;
}

std::string shown(const way& one)
{
    std::string all;
    for (const auto& word : one.arguments)
        all += word + ' ';
    for (const auto& [name, value] : one.environment)
        all += name + '=' + value + ' ';
    return all;
}

/// Part of every secret of these tests, but for keys and tokens, which are in files.
constexpr const char* secret = "geheim";

void check_nothing_is_seen(const std::string& name, const process& one)
{
    BOOST_TEST(!holds(one.output(), secret), one.output());
    BOOST_TEST(!holds(command_line_of(one), secret), command_line_of(one));
    BOOST_TEST(holds(command_line_of(one), "marquee-" + name)); // the command line was read
    for (const auto* key : {nkey_seed, jwt_seed})
        BOOST_TEST(!holds(one.output(), key));
}

/// Plays until a play is answered with its counts: reporting joins its queue group in its own time.
bool plays(int port)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end)
    {
        const auto play = http(port, {"POST", "/play/asset/123/user/1"});
        if (play.status == 200 && !holds(play.body, "degraded"))
            return true;
    }
    return false;
}

/// Starts all four programs this way, plays, checks that no secret is shown, and stops them.
void check_works(const nats_server& broker, const way& given)
{
    const auto one = filled_in(given, broker);
    BOOST_TEST_CONTEXT(shown(one))
    {
        temporary_folder folder;
        std::vector<std::unique_ptr<process>> started;
        for (const auto& name : programs)
            started.push_back(start(name, folder, one.arguments, one.environment));
        int port = 0;
        for (std::size_t i = 0; i < programs.size(); ++i)
        {
            const auto line = serves(programs[i], *started[i]);
            BOOST_TEST_REQUIRE(line.has_value(), started[i]->output());
            if (programs[i] == "edge")
                port = port_in(*line);
        }
        BOOST_TEST(http(port, {"GET", "/content/asset/123"}).status == 200); // it serves when it says so
        BOOST_TEST(plays(port));
        for (std::size_t i = 0; i < programs.size(); ++i)
            check_nothing_is_seen(programs[i], *started[i]);
        for (auto& each : started)
            each->signal(SIGTERM);
        for (std::size_t i = 0; i < programs.size(); ++i)
        {
            const auto status = started[i]->wait(std::chrono::seconds(60)).value_or(-1);
            BOOST_TEST(status == 0, programs[i] << " ended with " << status << ":\n" << started[i]->output());
        }
    }
}

/// Checks that these credentials are refused, in one line without the secret.
void check_refused(const nats_server& broker, const way& given)
{
    const auto one = filled_in(given, broker);
    for (const auto& name : programs)
    {
        BOOST_TEST_CONTEXT(name << ' ' << shown(one))
        {
            temporary_folder folder;
            const auto refused = run(name, in_folder(name, folder, one.arguments), one.environment);
            BOOST_TEST(refused.code == 1);
            BOOST_TEST(refused.lines() == 1, refused.output);
            BOOST_TEST(holds(refused.output, "cannot connect to "), refused.output);
            BOOST_TEST(!holds(refused.output, secret), refused.output);
        }
    }
}

void require(const std::string& command)
{
    BOOST_TEST_REQUIRE(std::system((command + " >/dev/null 2>&1").c_str()) == 0, command);
}

} // namespace

BOOST_AUTO_TEST_SUITE(program_credentials)

BOOST_AUTO_TEST_CASE(a_user_and_password_come_from_options_the_environment_or_the_url_and_are_shown_nowhere)
{
    const nats_server broker("authorization { user: joe, password: geheim }");
    const way works[] = {
        {{"--server", "SERVER", "--user", "joe", "--password", "geheim"}},
        {{"--server=SERVER", "--user=joe", "--password=geheim"}},
        {{}, {{"NATS_URL", "SERVER"}, {"NATS_USER", "joe"}, {"NATS_PASSWORD", "geheim"}}},
        {{"--server", "SERVER", "--password", "geheim"}, {{"NATS_USER", "joe"}, {"NATS_PASSWORD", "not-geheim"}}},
        {{"--server", "nats://joe:geheim@127.0.0.1:PORT"}},
        {{"--server=joe:geheim@127.0.0.1:PORT"}},
        {{"-s", "nats://joe:geheim@127.0.0.1:PORT"}},
        {{"-snats://joe:geheim@127.0.0.1:PORT"}},
        {{}, {{"NATS_URL", "nats://joe:geheim@127.0.0.1:PORT"}}},
        {{"--server", "SERVER"},
         {{"NATS_URL", "nats://127.0.0.1:1"}, {"NATS_USER", "joe"}, {"NATS_PASSWORD", "geheim"}}},
    };
    for (const auto& one : works)
        check_works(broker, one);
    const way refused[] = {
        {{"--server", "SERVER"}},
        {{"--server", "SERVER", "--user", "joe", "--password", "other-geheim"}},
        {{"--server", "nats://joe:other-geheim@127.0.0.1:PORT"}},
        {{}, {{"NATS_URL", "SERVER"}, {"NATS_USER", "joe"}, {"NATS_PASSWORD", "other-geheim"}}},
        {{"--server", "SERVER", "--token", "geheim"}},
    };
    for (const auto& one : refused)
        check_refused(broker, one);
}

BOOST_AUTO_TEST_CASE(a_token_comes_from_an_option_or_the_environment_and_is_shown_nowhere)
{
    const nats_server broker("authorization { token: geheim }");
    for (const way& one :
         {way{{"--server", "SERVER", "--token", "geheim"}}, way{{"--server", "SERVER", "--token=geheim"}},
          way{{"--server", "geheim@127.0.0.1:PORT"}}, way{{}, {{"NATS_URL", "SERVER"}, {"NATS_TOKEN", "geheim"}}}})
        check_works(broker, one);
    check_refused(broker, {{"--server", "SERVER", "--token", "other-geheim"}});
}

BOOST_AUTO_TEST_CASE(an_nkey_comes_from_a_file)
{
    const temporary_folder folder;
    const auto file = folder.write("user.nk", std::string(nkey_seed) + '\n');
    const nats_server broker(std::string("authorization { users: [ { nkey: ") + nkey + " } ] }");
    check_works(broker, {{"--server", "SERVER", "--nkey", file}});
    check_works(broker, {{}, {{"NATS_URL", "SERVER"}, {"NATS_NKEY", file}}});
    check_refused(broker, {{"--server", "SERVER"}});
}

BOOST_AUTO_TEST_CASE(credentials_of_a_decentralised_account_come_from_a_file)
{
    const temporary_folder folder;
    const auto file =
        folder.write("user.creds", std::string("-----BEGIN NATS USER JWT-----\n") + user_jwt +
                                       "\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n" +
                                       jwt_seed + "\n------END USER NKEY SEED------\n");
    const nats_server broker(std::string("operator: ") + operator_jwt +
                             "\nresolver: MEMORY\nsystem_account: " + system_account + "\nresolver_preload { " +
                             system_account + ": " + system_jwt + "\n" + account + ": " + account_jwt + " }\n");
    check_works(broker, {{"--server", "SERVER", "--creds", file}});
    check_works(broker, {{}, {{"NATS_URL", "SERVER"}, {"NATS_CREDS", file}}});
    check_refused(broker, {{"--server", "SERVER"}});
}

BOOST_AUTO_TEST_CASE(tls_files_come_from_options_or_the_environment)
{
    const temporary_folder folder;
    const auto ca = folder.file("ca.pem");
    const auto ca_key = folder.file("ca.key");
    const std::string new_key = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
    require(new_key + "-x509 -days 2 -subj /CN=test-ca -keyout " + ca_key + " -out " + ca);
    const auto extensions = folder.write("ext", "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    for (const std::string name : {"server", "client"})
    {
        require(new_key + "-subj /CN=127.0.0.1 -keyout " + folder.file(name + ".key") + " -out " +
                folder.file(name + ".csr"));
        require("openssl x509 -req -days 2 -in " + folder.file(name + ".csr") + " -CA " + ca + " -CAkey " + ca_key +
                " -CAcreateserial -extfile " + extensions + " -out " + folder.file(name + ".pem"));
    }
    const nats_server broker("tls { cert_file: \"" + folder.file("server.pem") + "\", key_file: \"" +
                             folder.file("server.key") + "\", ca_file: \"" + ca + "\", verify: true }");
    const auto certificate = folder.file("client.pem");
    const auto key = folder.file("client.key");
    check_works(broker, {{"--server", "SERVER", "--tlsca", ca, "--tlscert", certificate, "--tlskey", key}});
    check_works(broker,
                {{"--server", "tls://127.0.0.1:PORT", "--tlsca", ca}, {{"NATS_CERT", certificate}, {"NATS_KEY", key}}});
    check_works(broker, {{}, {{"NATS_URL", "SERVER"}, {"NATS_CA", ca}, {"NATS_CERT", certificate}, {"NATS_KEY", key}}});
    check_refused(broker, {{"--server", "SERVER", "--tlsca", ca}});
    check_refused(broker, {{"--server", "SERVER", "--tlscert", certificate, "--tlskey",
                            key}}); // it does not trust the server's authority
}

BOOST_AUTO_TEST_CASE(a_list_of_servers_is_tried_until_one_answers)
{
    const nats_server broker;
    check_works(broker, {{"--server", "nats://127.0.0.1:1,SERVER"}});
    check_works(broker, {{"--server", "SERVER,nats://127.0.0.1:1"}});
    check_works(broker, {{"--server", "nats://127.0.0.1:1, 127.0.0.1:PORT"}});
    check_works(broker, {{}, {{"NATS_URL", "nats://127.0.0.1:1,nats://127.0.0.1:2,SERVER"}}});
}

BOOST_AUTO_TEST_CASE(replies_use_only_the_configured_inbox_prefix)
{
    const nats_server broker(
        "authorization { users: [ { user: app, password: geheim, permissions: { publish: \">\", subscribe: [ "
        "\"_INBOX_APP.>\", \"$SRV.>\", \"metadata.>\", \"cdnurl.>\", \"reporting.>\" ] } }, { user: tap, "
        "password: tap } ] }");
    const wiretap tap("nats://tap:tap@127.0.0.1:" + std::to_string(broker.port()));
    check_works(broker,
                {{"--server", "SERVER", "--user", "app", "--password", "geheim", "--inbox-prefix", "_INBOX_APP"}});
    std::size_t own = 0;
    for (const auto& msg : tap.seen())
    {
        for (const auto& subject : {msg.subject, msg.reply})
        {
            BOOST_TEST(!subject.starts_with("_INBOX."), subject);
            own += subject.starts_with("_INBOX_APP.") ? 1 : 0;
        }
    }
    BOOST_TEST(own > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
