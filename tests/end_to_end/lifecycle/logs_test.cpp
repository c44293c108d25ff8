// The logs of real programs: every format, lines of requests, SIGHUP, a standard error that nobody
// reads.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/logfmt.hpp"
#include "tests/support/ports.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <csignal>
#include <functional>
#include <map>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace marquee::test;

namespace
{

constexpr auto patience = std::chrono::seconds(60);

using fields = std::map<std::string, std::string>;

/// A whole system whose programs read their settings of the log from files.
struct logging_system
{
    temporary_folder folder;
    std::unique_ptr<marquee_system> system;

    explicit logging_system(const std::string& text = "")
    {
        marquee_system::settings with;
        for (const auto& name : programs)
            with.extra[name] = {"--config", folder.write(name + ".conf", text)};
        system = std::make_unique<marquee_system>(with);
    }

    /// Other settings of the log for all programs, and waits until they are in force.
    void reload(const std::string& text) const
    {
        for (const auto& name : programs)
        {
            const auto before = system->at(name).output().size();
            folder.write(name + ".conf", text);
            system->at(name).signal(SIGHUP);
            BOOST_TEST_REQUIRE(wait_until([&] { return holds(lines_after(name, before), "settings read again"); }));
        }
    }

    [[nodiscard]] std::string lines_after(const std::string& name, std::size_t begin) const
    {
        return system->at(name).output().substr(begin);
    }

    static bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

    /// Looks again until it holds; false after the patience.
    static bool wait_until(const std::function<bool()>& condition)
    {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!condition())
        {
            if (std::chrono::steady_clock::now() > end)
                return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return true;
    }

    /// The fields of the only line of a request in a program's log.
    [[nodiscard]] fields line_of(const std::string& name, const std::string& request,
                                 const std::function<fields(const std::string&)>& read) const
    {
        const auto line = system->at(name).wait_for_line(request, patience);
        BOOST_TEST_REQUIRE(line.has_value(), system->at(name).output());
        return read(*line);
    }
};

fields read_json(const std::string& line)
{
    fields found;
    const auto parsed = boost::json::parse(line);
    for (const auto& [key, value] : parsed.as_object())
        found[key] = value.is_string() ? std::string(value.as_string()) : std::to_string(value.as_int64());
    return found;
}

fields read_logfmt(const std::string& line)
{
    const auto found = parse_logfmt(line);
    BOOST_TEST_REQUIRE(found.has_value(), line);
    return *found;
}

/// `TIME LEVEL PROGRAM: request …`, whose fields are as those of logfmt.
fields read_text(const std::string& line)
{
    const auto at = line.find(": request ");
    BOOST_TEST_REQUIRE(at != std::string::npos, line);
    return read_logfmt(line.substr(at + 10));
}

const std::string secret = "geheim-geheim-geheim-geheim";

http_call play(const std::string& request, const std::string& asset = "123")
{
    return {"POST",
            "/play/asset/" + asset + "/user/1?access_token=" + secret,
            {{"X-Request-ID", request},
             {"Authorization", "Bearer " + secret},
             {"Cookie", "session=" + secret},
             {"Idempotency-Key", "\"" + secret + "\""}}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(logs)

BOOST_AUTO_TEST_CASE(sighup_changes_format_and_lines_of_requests_and_each_format_has_a_plays_lines_under_one_id)
{
    const logging_system all;
    BOOST_TEST(all.system->call(play("quiet")).status == 200);
    const std::pair<std::string, fields (*)(const std::string&)> table[] = {
        {"json", read_json}, {"logfmt", read_logfmt}, {"text", read_text}};
    for (const auto& [format, read] : table)
        BOOST_TEST_CONTEXT(format)
        {
            all.reload("log-format = " + format + "\naccess-log = on\n");
            const auto id = "play." + format;
            BOOST_TEST(all.system->call(play(id)).status == 200);
            const auto edge = all.line_of("edge", id, read);
            BOOST_TEST(edge.at("request") == id);
            BOOST_TEST(edge.at("method") == "POST");
            BOOST_TEST(edge.at("route") == "/play/asset/{asset}/user/{user}");
            BOOST_TEST(edge.at("status") == "200");
            BOOST_TEST(edge.at("client") == "127.0.0.1");
            BOOST_TEST(std::stol(edge.at("bytes")) > 50);
            BOOST_TEST(std::stol(edge.at("lookups_us")) + std::stol(edge.at("store_us")) <=
                       std::stol(edge.at("duration_us")));
            for (const auto* service : {"metadata", "cdnurl"})
            {
                const auto line = all.line_of(service, id, read);
                BOOST_TEST(line.at("request") == id);
                BOOST_TEST(line.at("subject").starts_with(service));
                BOOST_TEST(line.at("status") == "200");
                BOOST_TEST(line.count("duration_us") == 1U);
            }
        }
    all.reload("access-log = off\nlog-level = warning\n");
    const auto before = all.system->at("edge").output().size();
    BOOST_TEST(all.system->call(play("quiet")).status == 200);
    BOOST_TEST(all.lines_after("edge", before).find("status=200") == std::string::npos);
    for (const auto& name : programs)
    {
        const auto output = all.system->at(name).output();
        BOOST_TEST(output.find("quiet") == std::string::npos, output);
        BOOST_TEST(output.find(secret) == std::string::npos, output);
        BOOST_TEST(output.find(all.system->admin_token()) == std::string::npos, output);
    }
}

BOOST_AUTO_TEST_CASE(ids_with_quotes_line_breaks_and_formats_leave_one_object_per_line)
{
    const logging_system all("access-log = on\nlog-format = text\n");
    all.reload("access-log = on\nlog-format = json\n");
    std::map<std::string, std::size_t> begin;
    for (const auto& name : programs)
        begin[name] = all.system->at(name).output().size();
    for (const auto* asset : {"%22%7D%0A%7B%22level%22", "%25n%25s%25x", "a%0D%0Ab", "%1B%5B2J", "%FF%FE", "%E2%80%AE"})
    {
        const auto answer = all.system->call(play("hostile", asset));
        BOOST_TEST((answer.status == 400 || answer.status == 404), asset);
    }
    for (const auto* id : {"quote\"", "%n%s", "a b", "{}", ""}) // are replaced
        BOOST_TEST(all.system->call({"GET", "/healthz", {{"X-Request-ID", id}}}).status == 200);
    BOOST_TEST(all.system->call(play("last")).status == 200);
    for (const auto* name : {"edge", "metadata", "cdnurl"})
    {
        BOOST_TEST(all.system->at(name).wait_for_line("\"last\"", patience).has_value());
        const auto text = all.lines_after(name, begin[name]);
        std::size_t lines = 0;
        for (std::size_t at = 0; at < text.size();)
        {
            const auto end = std::min(text.find('\n', at), text.size());
            const auto found = read_json(text.substr(at, end - at));
            BOOST_TEST(found.at("level") == "info");
            BOOST_TEST(found.at("msg") == "request");
            at = end + 1;
            ++lines;
        }
        BOOST_TEST(lines >= (name == std::string("edge") ? 12U : 1U), text);
    }
}

BOOST_AUTO_TEST_CASE(a_standard_error_that_nobody_reads_stops_no_answers_and_what_is_dropped_is_counted)
{
    const temporary_folder folder;
    const nats_server broker;
    const auto fifo = folder.file("stderr");
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    BOOST_TEST_REQUIRE(reader >= 0);
    const auto port = free_port();
    const auto line = program("marquee-edge") + " --listen 127.0.0.1:" + std::to_string(port) + " --server " +
                      broker.url() + " --access-log on --log-format json 2> " + fifo;
    process edge("/bin/sh", {"-c", "exec " + line});
    BOOST_TEST_REQUIRE(logging_system::wait_until(
        [&]
        {
            try
            {
                return http(port, {"GET", "/healthz"}).status == 200;
            }
            catch (const std::exception&)
            {
                return false;
            }
        }));
    const http_call call{"GET", "/healthz", {{"X-Request-ID", std::string(128, 'x')}}};
    const auto dropped = [&]
    {
        const auto page = http(port, {"GET", "/metrics"}).body;
        const auto at = page.find("\nmarquee_log_lines_dropped_total ");
        return at != std::string::npos && page[at + 33] != '0';
    };
    BOOST_TEST(!dropped());
    int calls = 0;
    for (; calls < 20'000 && (calls % 500 != 0 || !dropped()); ++calls)
        BOOST_TEST_REQUIRE(http(port, call).status == 200);
    BOOST_TEST(dropped());

    edge.signal(SIGTERM); // the lines that are left have a second
    BOOST_TEST(edge.wait(patience).value_or(-1) == 0);
    ::close(reader);
}

BOOST_AUTO_TEST_SUITE_END()
