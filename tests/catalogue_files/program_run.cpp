#include "tests/catalogue_files/program_run.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace marquee::test
{
namespace
{

std::filesystem::path new_folder()
{
    std::string pattern = (std::filesystem::temp_directory_path() / "marquee_titles_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("no temporary folder");
    return pattern;
}

marquee_system::settings settings_for(std::vector<std::string> services)
{
    marquee_system::settings with;
    with.start = std::move(services);
    return with;
}

} // namespace

catalogue_fixture::catalogue_fixture(std::vector<std::string> services)
    : folder_(new_folder()), system_(settings_for(std::move(services)))
{
}

catalogue_fixture::~catalogue_fixture()
{
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void catalogue_fixture::write(const std::string& name, const std::string& text) const
{
    std::ofstream(path(name), std::ios::binary) << text;
}

std::string catalogue_fixture::read(const std::string& name) const
{
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> catalogue_fixture::command(const std::vector<std::string>& words) const
{
    std::vector<std::string> all{"--server", system_.server()};
    for (const auto& word : words)
        all.push_back(word.starts_with('@') ? path(word.substr(1)).string() : word);
    return all;
}

program_outcome catalogue_fixture::run(const std::string& program, const std::vector<std::string>& words)
{
    process running(test::program(program), command(words));
    return outcome_of(running);
}

program_outcome outcome_of(process& program)
{
    const auto code = program.wait(std::chrono::minutes(2));
    if (!code)
        throw std::runtime_error("the program does not end:\n" + program.output());
    return {*code, program.output()};
}

std::string many_titles(std::size_t count, const std::string& summary)
{
    std::string all = "id,title,genre,summary,url\n";
    for (std::size_t i = 0; i < count; ++i)
    {
        const auto number = std::to_string(100'000 + i).substr(1);
        all += 't' + number + ",Title " + number + ",drama," + summary + ",path/" + number + ".mp4\n";
    }
    return all;
}

std::string without_demo(std::string csv)
{
    for (const auto* id : {"123,", "456,"})
        if (const auto at = csv.find('\n' + std::string(id)); at != std::string::npos)
            csv.erase(at + 1, csv.find('\n', at + 1) - at);
    return csv;
}

} // namespace marquee::test
