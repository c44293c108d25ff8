// The page, its files and the videos: what is served, how, and what is not.
#include "tests/end_to_end/kit.hpp"
#include "tests/end_to_end/programs.hpp"
#include "tests/support/ports.hpp"
#include "tests/support/raw_http.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <optional>

#include <sys/socket.h>
#include <sys/stat.h>

namespace
{

using namespace marquee::test;
namespace fs = std::filesystem;

/// Folders of a site's own, with what must not be served.
struct own_site
{
    temporary_folder folder;
    std::string web = folder.file("web");
    std::string media = folder.file("media");
    std::string outside = folder.write("outside.txt", "secret");
    std::string large = std::string(3'000'000, 'v');

    own_site()
    {
        fs::create_directories(web + "/parts");
        fs::create_directories(media + "/a/.hidden");
        write(web + "/index.html", "<!doctype html><title>own</title>");
        write(web + "/parts/x.js", "export {};");
        write(media + "/a/b.mp4", "0123456789");
        write(media + "/large.webm", large);
        write(media + "/.dot", "secret");
        write(media + "/a/.hidden/x", "secret");
        write(media + "/odd name %41.bin", "odd");
        fs::create_symlink(outside, media + "/link.txt");
        fs::create_directory_symlink(folder.file(""), media + "/up");
        ::mkfifo((media + "/fifo").c_str(), 0600);
    }

    static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
};

std::optional<own_site> own;

marquee_system::settings with_pages()
{
    own.emplace();
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "reporting", "edge", "edge-own", "edge-none"};
    with.extra["edge-own"] = {"--web-root", own->web,          "--media-root", own->media,         "--max-media",
                              "3",          "--write-timeout", "5s",           "--answer-timeout", "10s"};
    with.extra["edge-none"] = {"--no-web"};
    return with;
}

using shared = shared_system<with_pages>;

http_answer get(const std::string& target, http_headers fields = {}, const std::string& edge = "edge")
{
    return shared::system->call({"GET", target, std::move(fields)}, edge);
}

void check_it_still_plays(const std::string& edge = "edge")
{
    BOOST_TEST(shared::system->call({"POST", "/play/asset/123/user/still"}, edge).status == 200);
}

} // namespace

BOOST_AUTO_TEST_SUITE(page, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(the_page_is_served_with_a_strict_policy)
{
    const auto answer = get("/");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.header("Content-Type") == "text/html; charset=utf-8");
    BOOST_TEST(answer.header("Content-Security-Policy") ==
               "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https:; "
               "media-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    BOOST_TEST(answer.header("X-Content-Type-Options") == "nosniff");
    BOOST_TEST(answer.header("Referrer-Policy") == "no-referrer");
    BOOST_TEST(answer.header("Cache-Control").starts_with("max-age="));
    BOOST_TEST(answer.header("Vary").find("Accept-Encoding") != std::string::npos);
    BOOST_TEST(answer.body.starts_with("<!doctype html>"));
    BOOST_TEST(get("/?utm=1&x=2").body == answer.body);
    BOOST_TEST(get("/page/index.html").body == answer.body);
    const auto head = shared::system->call({"HEAD", "/"});
    BOOST_TEST(head.status == 200);
    BOOST_TEST(head.header("Content-Length") == std::to_string(answer.body.size()));
    for (const auto* target : {"/", "/page/index.html", "/media/path/to/asset123.mp4"})
    {
        const auto refused = shared::system->call({"POST", target});
        check_problem(refused, 405, "method_not_allowed");
        BOOST_TEST(refused.header("Allow") == "GET, HEAD, OPTIONS");
    }
    check_it_still_plays();
}

BOOST_AUTO_TEST_CASE(a_known_version_is_304_and_each_coding_is_a_version_of_its_own)
{
    std::vector<std::string> tags;
    for (const auto* coding : {"identity", "gzip", "br"})
    {
        const auto answer = get("/", {{"Accept-Encoding", coding}});
        BOOST_TEST(answer.header("Content-Encoding") == (coding == std::string("identity") ? "" : coding));
        const auto tag = answer.header("ETag");
        BOOST_TEST((std::find(tags.begin(), tags.end(), tag) == tags.end()), tag);
        tags.push_back(tag);
        for (const auto& condition : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")})
        {
            const auto known = get("/", {{"Accept-Encoding", coding}, {"If-None-Match", condition}});
            BOOST_TEST(known.status == 304, condition);
            BOOST_TEST(known.body.empty());
            BOOST_TEST(known.header("ETag") == tag);
        }
        BOOST_TEST(get("/", {{"Accept-Encoding", coding}, {"If-None-Match", "\"x\""}}).status == 200);
    }
    const auto gzip = get("/", {{"Accept-Encoding", "gzip"}}).body;
    BOOST_TEST(gzip.substr(0, 2) == "\x1f\x8b");
    check_it_still_plays();
}

BOOST_AUTO_TEST_CASE(the_page_learns_what_its_edge_is)
{
    const auto about = get("/page/edge.json");
    BOOST_TEST(about.header("Content-Type") == "application/json");
    BOOST_TEST(about.header("Cache-Control") == "no-store");
    const auto read = about.json();
    for (const auto* member : {"watch", "desk", "fleet", "admin"})
        BOOST_TEST(read.at(member).as_bool(), member);
    BOOST_TEST(read.at("players").as_string() == "name");
    BOOST_TEST(get("/page/edge.json", {}, "edge-own").status == 200);
}

BOOST_AUTO_TEST_CASE(clips_are_there_and_ranges_of_them)
{
    for (const std::string name : {"123", "456"})
    {
        const auto target = "/media/path/to/asset" + name + ".mp4";
        const auto whole = get(target);
        BOOST_TEST(whole.status == 200);
        BOOST_TEST(whole.header("Content-Type") == "video/mp4");
        BOOST_TEST(whole.header("Accept-Ranges") == "bytes");
        BOOST_TEST(whole.header("Content-Length") == std::to_string(whole.body.size()));
        BOOST_TEST(whole.body.size() > 50'000U);
        BOOST_TEST(whole.body.size() < 300'000U);
        BOOST_TEST(whole.body.substr(4, 4) == "ftyp");
        const auto size = std::to_string(whole.body.size());
        const auto part = get(target, {{"Range", "bytes=100-199"}});
        BOOST_TEST(part.status == 206);
        BOOST_TEST(part.header("Content-Range") == "bytes 100-199/" + size);
        BOOST_TEST(part.body == whole.body.substr(100, 100));
        const auto rest = get(target, {{"Range", "bytes=1000-"}, {"If-Range", whole.header("ETag")}});
        BOOST_TEST(rest.status == 206);
        BOOST_TEST((rest.body == whole.body.substr(1000)));
        BOOST_TEST(get(target, {{"Range", "bytes=1000-"}, {"If-Range", "\"old\""}}).status == 200);
        const auto beyond = get(target, {{"Range", "bytes=" + size + "-"}});
        check_problem(beyond, 416, "range_not_satisfiable");
        BOOST_TEST(beyond.header("Content-Range") == "bytes */" + size);
        BOOST_TEST(get(target, {{"If-None-Match", whole.header("ETag")}}).status == 304);
        BOOST_TEST(shared::system->call({"HEAD", target}).header("Content-Length") == size);
    }
    check_it_still_plays();
}

BOOST_AUTO_TEST_CASE(a_connection_goes_on_after_a_large_file)
{
    raw_connection client(shared::system->port("edge-own"));
    const std::string host = " HTTP/1.1\r\nHost: x\r\n\r\n";
    BOOST_TEST(client.send("GET /media/large.webm" + host + "HEAD /media/large.webm" + host + "GET /media/a/b.mp4" +
                           host + "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    BOOST_TEST(client.wait_for_end());
    const auto answers = answers_in(client.received(), {1});
    BOOST_TEST_REQUIRE(answers.size() == 4U);
    BOOST_TEST((answers[0].body == own->large));
    BOOST_TEST(answers[1].header("Content-Length") == "3000000");
    BOOST_TEST(answers[2].body == "0123456789");
    BOOST_TEST(answers[3].status == 200);
    const auto part = get("/media/large.webm", {{"Range", "bytes=-2000000"}}, "edge-own");
    BOOST_TEST(part.status == 206);
    BOOST_TEST(part.body.size() == 2'000'000U);
}

BOOST_AUTO_TEST_CASE(nothing_but_regular_files_beneath_the_root_is_served)
{
    for (const auto* target : {"/media/",
                               "/media",
                               "/media/a",
                               "/media/a/",
                               "/media//a/b.mp4",
                               "/media/a//b.mp4",
                               "/media/../outside.txt",
                               "/media/a/../../outside.txt",
                               "/media/%2e%2e/outside.txt",
                               "/media/a/%2e%2e/%2e%2e/outside.txt",
                               "/media/..%2foutside.txt",
                               "/media/a%2fb.mp4",
                               "/media/%2foutside.txt",
                               "/media/a/b.mp4%00",
                               "/media/a/b.mp4/",
                               "/media/.dot",
                               "/media/a/.hidden/x",
                               "/media/link.txt",
                               "/media/up/outside.txt",
                               "/media/fifo",
                               "/media/a%5c..%5cx",
                               "/media/none",
                               "/media/a/b.mp4/c",
                               "/page/none.js",
                               "/page/",
                               "/page/../outside.txt",
                               "/page/%2e%2e/outside.txt",
                               "/media/\xff\xfe"})
        for (const auto* edge : {"edge", "edge-own"})
        {
            raw_connection client(shared::system->port(edge));
            BOOST_TEST(client.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
            BOOST_TEST(client.wait_for_end(), target);
            BOOST_TEST(client.received().find("secret") == std::string::npos, target);
            const auto status = client.received().substr(0, 12);
            BOOST_TEST((status == "HTTP/1.1 404" || status == "HTTP/1.1 400"), target << ": " << status);
        }
    BOOST_TEST(get("/media/odd%20name%20%2541.bin", {}, "edge-own").body == "odd");
    check_it_still_plays("edge-own");
}

BOOST_AUTO_TEST_CASE(another_page_takes_the_place_of_the_one_that_comes_with_it)
{
    const auto page = get("/", {{"Accept-Encoding", "br"}}, "edge-own");
    BOOST_TEST(page.body == "<!doctype html><title>own</title>");
    BOOST_TEST(page.header("Content-Encoding").empty());
    BOOST_TEST(get("/page/parts/x.js", {}, "edge-own").header("Content-Type") == "text/javascript; charset=utf-8");
    const auto tag = page.header("ETag");
    BOOST_TEST(get("/", {{"If-None-Match", tag}}, "edge-own").status == 304);
    own_site::write(own->web + "/index.html", "<!doctype html><title>changed</title>");
    const auto changed = get("/", {{"If-None-Match", tag}}, "edge-own");
    BOOST_TEST(changed.body == "<!doctype html><title>changed</title>");
    check_problem(get("/media/path/to/asset123.mp4", {}, "edge-own"), 404, "route_not_found");
}

BOOST_AUTO_TEST_CASE(without_a_page_its_paths_are_unknown)
{
    for (const auto* target : {"/", "/page/index.html", "/page/edge.json", "/media/path/to/asset123.mp4"})
        check_problem(get(target, {}, "edge-none"), 404, "route_not_found");
    BOOST_TEST(shared::system->call({"OPTIONS", "/"}, "edge-none").header("Allow") == "OPTIONS");
    BOOST_TEST(shared::system->call({"OPTIONS", "/"}).header("Allow") == "GET, HEAD, OPTIONS");
    check_it_still_plays("edge-none");
}

BOOST_AUTO_TEST_CASE(a_file_that_became_shorter_ends_the_connection_and_slow_clients_are_limited)
{
    const auto path = own->media + "/shrinks.webm";
    own_site::write(path, std::string(8'000'000, 'x'));
    const std::string request = "GET /media/shrinks.webm HTTP/1.1\r\nHost: x\r\n\r\n";
    {
        raw_connection client(shared::system->port("edge-own"));
        const int little = 4096; // so that it is not all on its way at once
        ::setsockopt(client.descriptor(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
        BOOST_TEST(client.send(request));
        BOOST_TEST(client.wait_for("\r\n\r\n"));
        fs::resize_file(path, 1000);
        BOOST_TEST(client.wait_for_end());
        BOOST_TEST(client.received().size() < 8'000'000U);
    }
    // Three that take nothing: a fourth is refused, until their time is over.
    std::vector<raw_connection> slow;
    for (int i = 0; i < 3; ++i)
    {
        slow.emplace_back(shared::system->port("edge-own"));
        BOOST_TEST(slow.back().send("GET /media/large.webm HTTP/1.1\r\nHost: x\r\n\r\n"));
        BOOST_TEST(slow.back().wait_for("\r\n\r\n"));
    }
    check_problem(get("/media/a/b.mp4", {}, "edge-own"), 503, "overloaded");
    check_it_still_plays("edge-own");
    BOOST_TEST(shared::system->call_until(200, {"GET", "/media/a/b.mp4"}, std::chrono::seconds(60), "edge-own").body ==
               "0123456789");
}

BOOST_AUTO_TEST_CASE(addresses_that_a_browser_would_run_are_not_stored)
{
    for (const auto* url :
         {"javascript:alert(1)", "data:text/html,x", "//evil.example/a", "a/../b", "a%2F..%2Fb", "a\\\\b"})
    {
        const auto body = std::string("{\"url\":\"") + url + "\"}";
        const auto refused = shared::system->call_as_admin({"POST", "/url/asset/page-url", {}, body});
        check_problem(refused, 400, "bad_request");
        BOOST_TEST(refused.text("field") == "url");
        const auto over_nats = boost::json::parse(shared::client->request("cdnurl.put.page-url", body).data);
        BOOST_TEST(over_nats.at("field").as_string() == "url");
    }
    BOOST_TEST(
        shared::system->call_as_admin({"POST", "/url/asset/page-url", {}, R"({"url":"https://cdn.example/a.mp4"})"})
            .status == 200);
}

BOOST_AUTO_TEST_CASE(a_root_that_is_no_folder_ends_the_start)
{
    for (const std::string option : {"--web-root", "--media-root"})
        for (const auto& path : {own->folder.file("none"), own->outside})
        {
            const auto ended =
                run("edge", {"--server", shared::system->server(), "--listen", "127.0.0.1:0", option, path});
            BOOST_TEST(ended.code == 2);
            BOOST_TEST(ended.output.find(option) != std::string::npos, ended.output);
        }
    BOOST_TEST(run("edge", {"--no-web", "--web-root", own->web}).code == 2);
}

BOOST_AUTO_TEST_SUITE_END()
