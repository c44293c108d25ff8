// Events put into the stream without an edge, so that reporting has something to catch up with.
#pragma once

#include "tests/support/load.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace marquee::chaos
{

/// Publishes `count` plays, pipelined, each until it is acknowledged, and adds them to `ledger` and
/// `expected`. Throws std::runtime_error when the broker does not take them.
void publish_backlog(const std::string& server, std::uint64_t count, std::uint64_t seed,
                     const std::vector<test::known_asset>& assets, const std::filesystem::path& ledger,
                     test::expected_views& expected);

} // namespace marquee::chaos
