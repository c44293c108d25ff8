// What a stream is expected to count: NAME.expected, and where the stream NAME itself comes from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace marquee::test
{

using view_counts = std::map<std::string, std::uint64_t>;

/// The views of all assets and of all users, one a line, in byte order of the ids.
[[nodiscard]] std::string canonical_text(const view_counts& assets, const view_counts& users);

/// A file of lines, in any order; blank ones and those that begin with # say nothing. What is not
/// named is 0.
///
///     asset "ID" VIEWS            a JSON string and a number
///     user "ID" VIEWS
///     duplicates N                events that reporting found to be duplicates
///     duplicates-at-broker N      events that JetStream did not store a second time
///     rejected N
///     not-in-batches              its events count otherwise where they share messages: JetStream
///                                 does not see their ids then
///     sha256 HEX                  of canonical_text; not all assets and users need to be named
///     reporting WORD…             arguments of marquee-reporting
struct expected_counts
{
    view_counts assets;
    view_counts users;
    std::uint64_t duplicates = 0;
    std::uint64_t duplicates_at_broker = 0;
    std::uint64_t rejected = 0;
    bool in_batches = true;
    std::string sha256;
    std::vector<std::string> reporting;
};

/// Throws std::runtime_error that names the line.
[[nodiscard]] expected_counts read_expected(const std::filesystem::path& file);

/// The names of all streams in tests/event_streams/streams, in byte order. Throws
/// std::runtime_error for one without expected counts.
[[nodiscard]] std::vector<std::string> stream_names();

[[nodiscard]] std::filesystem::path stream_folder();

/// Copies NAME.ndjson into `folder`, or has it written by the command in NAME.generator.
[[nodiscard]] std::filesystem::path make_stream(const std::string& name, const std::filesystem::path& folder);

} // namespace marquee::test
