// A database that cannot be used: a clear error and exit code 1, never a wrong count.
#include "tests/integration/reporting/reporting_fixture.hpp"

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

using namespace marquee;
using namespace marquee::test;

namespace fs = std::filesystem;

namespace
{

struct file_fixture : reporting_fixture
{
    file_fixture()
    {
        make_stream();
        std::vector<std::string> events;
        for (int i = 0; i < 5000; ++i)
            events.push_back("asset-" + std::to_string(i) + ":user-" + std::to_string(i % 1000));
        store(events);
    }

    /// As an unprivileged user: root may write everywhere.
    [[nodiscard]] process launch_unprivileged() const
    {
        const arguments ours = {MARQUEE_BINARY_DIR "/marquee-reporting", "--server", server.url(), "--db",
                                database("one")};
        if (::geteuid() != 0)
            return {ours[0], {ours.begin() + 1, ours.end()}};
        arguments words = {"--reuid=65534", "--regid=65534", "--clear-groups", "--"};
        words.insert(words.end(), ours.begin(), ours.end());
        return {"/usr/bin/setpriv", words};
    }

    void overwrite(std::size_t page, std::size_t pages)
    {
        std::fstream file(database("one"), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(page * 4096));
        for (; pages > 0; --pages)
            file << std::string(4096, '\xA5');
    }

    void require_rebuild_cures()
    {
        run_once("one", {"--rebuild"});
        require_exact();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reporting_file, file_fixture)

BOOST_AUTO_TEST_CASE(what_is_no_sound_database_is_refused_and_a_rebuild_cures_it)
{
    struct row
    {
        const char* what;
        std::function<void()> happens;
    };
    const auto pages = [&] { return fs::file_size(database("one")) / 4096; };
    const row rows[] = {
        {"the header overwritten", [&] { overwrite(0, 1); }},
        {"everything but the header overwritten", [&] { overwrite(1, pages() - 1); }},
        {"every other page overwritten",
         [&]
         {
             for (std::size_t page = 8; page < pages(); page += 2)
                 overwrite(page, 1);
         }},
        {"cut in the middle", [&] { fs::resize_file(database("one"), pages() / 2 * 4096); }},
        {"cut within the first page", [&] { fs::resize_file(database("one"), 1000); }},
        {"text",
         [&]
         {
             std::ofstream(database("one"))
                 << "no database at all, and longer than a header of SQLite: " << std::string(500, '.');
         }},
    };
    for (const auto& [what, happens] : rows)
        BOOST_TEST_CONTEXT(what)
        {
            run_once("one", {"--rebuild"});
            happens();
            auto refused = launch();
            require_refusal(refused, database("one"));
            BOOST_TEST(refused.output().find("--rebuild") != std::string::npos, refused.output());
            require_rebuild_cures();
        }
}

BOOST_AUTO_TEST_CASE(a_place_that_cannot_be_written_is_refused)
{
    struct row
    {
        const char* what;
        std::function<void()> happens;
    };
    const auto mode = [](const fs::path& path, mode_t bits) { BOOST_REQUIRE(::chmod(path.c_str(), bits) == 0); };
    const row rows[] = {
        {"the file is read-only",
         [&]
         {
             mode(folder, 0777);
             mode(database("one"), 0444);
             mode(database("one") + ".lock", 0666);
         }},
        {"the folder is read-only",
         [&]
         {
             mode(folder, 0555);
             mode(database("one"), 0666);
             mode(database("one") + ".lock", 0666);
         }},
        {"nothing may be made in the folder",
         [&]
         {
             mode(folder, 0555);
             fs::remove(database("one"));
             fs::remove(database("one") + ".lock");
         }},
    };
    for (const auto& [what, happens] : rows)
        BOOST_TEST_CONTEXT(what)
        {
            run_once("one", {"--rebuild"});
            happens();
            auto refused = launch_unprivileged();
            require_refusal(refused, database("one"));
            mode(folder, 0755);
        }
    fs::create_directory(database("two"));
    auto folder_in_place_of_the_file = launch("two");
    require_refusal(folder_in_place_of_the_file, database("two"));
    auto no_folder = launch("missing/three");
    require_refusal(no_folder, database("missing/three"));
}

BOOST_AUTO_TEST_SUITE_END()
