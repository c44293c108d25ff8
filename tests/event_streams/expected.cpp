#include "tests/event_streams/expected.hpp"

#include "tests/support/marquee_system.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace marquee::test
{

namespace fs = std::filesystem;
namespace json = boost::json;

namespace
{

std::vector<std::string> words_of(const std::string& line)
{
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    return words;
}

std::uint64_t read_number(const std::string& text)
{
    std::size_t used = 0;
    const auto number = std::stoull(text, &used);
    if (used != text.size())
        throw std::runtime_error("no number");
    return number;
}

/// `"ID" VIEWS`
void read_views(const std::string& text, view_counts& into)
{
    const auto end = text.rfind('"');
    if (end == std::string::npos)
        throw std::runtime_error("an id is a JSON string");
    const auto id = json::parse(text.substr(0, end + 1));
    const auto views = words_of(text.substr(end + 1));
    if (views.size() != 1 || !into.emplace(std::string(id.as_string()), read_number(views[0])).second)
        throw std::runtime_error("each id once, and its views");
}

void read_line(const std::string& line, expected_counts& into)
{
    const auto space = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, space);
    const auto rest = line.substr(std::min(space + 1, line.size()));
    if (word == "asset")
        read_views(rest, into.assets);
    else if (word == "user")
        read_views(rest, into.users);
    else if (word == "duplicates")
        into.duplicates = read_number(rest);
    else if (word == "duplicates-at-broker")
        into.duplicates_at_broker = read_number(rest);
    else if (word == "rejected")
        into.rejected = read_number(rest);
    else if (word == "not-in-batches")
        into.in_batches = false;
    else if (word == "sha256")
        into.sha256 = rest;
    else if (word == "reporting")
        into.reporting = words_of(rest);
    else
        throw std::runtime_error("unknown word");
}

void add_lines(std::string& text, const char* kind, const view_counts& counts)
{
    for (const auto& [id, views] : counts)
        text += std::string(kind) + ' ' + json::serialize(json::value(id)) + ' ' + std::to_string(views) + '\n';
}

} // namespace

std::string canonical_text(const view_counts& assets, const view_counts& users)
{
    std::string text;
    add_lines(text, "asset", assets);
    add_lines(text, "user", users);
    return text;
}

expected_counts read_expected(const fs::path& file)
{
    std::ifstream in(file);
    if (!in)
        throw std::runtime_error(file.string() + " cannot be read");
    expected_counts out;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);)
    {
        ++number;
        if (line.empty() || line.front() == '#')
            continue;
        try
        {
            read_line(line, out);
        }
        catch (const std::exception& e)
        {
            throw std::runtime_error(file.string() + ":" + std::to_string(number) + ": " + e.what());
        }
    }
    return out;
}

fs::path stream_folder() { return MARQUEE_SOURCE_DIR "/tests/event_streams/streams"; }

std::vector<std::string> stream_names()
{
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(stream_folder()))
        names.insert(entry.path().stem());
    for (const auto& name : names)
    {
        const auto path = stream_folder() / name;
        if (!fs::exists(path.string() + ".expected") ||
            fs::exists(path.string() + ".ndjson") == fs::exists(path.string() + ".generator"))
            throw std::runtime_error(path.string() + ": a stream is .ndjson or .generator, and .expected");
    }
    return {names.begin(), names.end()};
}

fs::path make_stream(const std::string& name, const fs::path& folder)
{
    const auto made = folder / (name + ".ndjson");
    const auto source = stream_folder() / (name + ".ndjson");
    if (fs::exists(source))
    {
        fs::copy_file(source, made, fs::copy_options::overwrite_existing);
        return made;
    }
    std::ifstream in(stream_folder() / (name + ".generator"));
    std::string line;
    std::getline(in, line);
    auto words = words_of(line);
    if (words.empty())
        throw std::runtime_error(name + ".generator holds no command");
    const auto generator = words.front();
    words.erase(words.begin());
    words.insert(words.end(), {"--output", made.string()});
    process running(program(generator), words);
    if (running.wait(std::chrono::seconds(60)) != 0)
        throw std::runtime_error(name + ": the generator failed:\n" + running.output());
    return made;
}

} // namespace marquee::test
