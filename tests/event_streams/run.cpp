#include "tests/event_streams/run.hpp"

#include "tests/support/marquee_system.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace marquee::test
{

namespace fs = std::filesystem;

namespace
{

std::vector<std::string> words_for(const std::string& server, const fs::path& file,
                                   const std::vector<std::string>& more)
{
    std::vector<std::string> words{"--server", server, file.string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

} // namespace

replay_run::replay_run(const std::string& server, const fs::path& file, const std::vector<std::string>& more)
    : file_(file), process_(test::program("marquee-replay"), words_for(server, file, more))
{
}

replay_outcome replay_run::wait()
{
    const auto code = process_.wait(std::chrono::minutes(2));
    if (!code)
        throw std::runtime_error("marquee-replay does not end:\n" + process_.output());
    replay_outcome out;
    out.code = *code;
    if (const auto line = process_.wait_for_line(", duplicate "))
        std::sscanf(line->c_str(), "acknowledged %lu, duplicate %lu, rejected %lu, refused %lu",
                    &out.counts.acknowledged, &out.counts.duplicate, &out.counts.rejected, &out.counts.refused);
    out.output = process_.output();
    return out;
}

replay::replay_progress replay_run::wait_until(const std::function<bool(const replay::replay_progress&)>& reached)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end && process_.running())
    {
        const auto state = replay::load_progress(file_.string() + ".progress");
        if (state.has_value() && *state && reached(**state))
            return **state;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("marquee-replay makes no progress:\n" + process_.output());
}

replay::replay_progress replay_run::wait_until_beyond(std::uint64_t line)
{
    return wait_until([line](const replay::replay_progress& state) { return state.at.line > line; });
}

replay_outcome replay_all(const std::string& server, const fs::path& file, const std::vector<std::string>& more)
{
    return replay_run(server, file, more).wait();
}

scratch_folder::scratch_folder()
{
    std::string pattern = (fs::temp_directory_path() / "marquee_replay_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("no temporary folder");
    path_ = pattern;
}

scratch_folder::~scratch_folder()
{
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

fs::path scratch_folder::write(const std::string& name, const std::string& text) const
{
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
}

} // namespace marquee::test
