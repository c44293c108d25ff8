// Plays and views whose counts a test looks at.
#pragma once

#include "tests/support/marquee_system.hpp"

#include <chrono>
#include <string>

namespace marquee::test
{

inline bool is_degraded(const http_answer& answer) { return answer.body.find("degraded") != std::string::npos; }

/// A play or a view with its counts: repeated under `key`, so that it counts once, while it fails
/// or is degraded. A slow machine may miss the deadline of statistics.
inline http_answer counted(const marquee_system& system, http_call call, const std::string& key,
                           const std::string& edge = "edge")
{
    call.headers.emplace_back("Idempotency-Key", key);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;)
    {
        auto answer = system.call_until(200, call, std::chrono::seconds(30), edge);
        if ((answer.status == 200 && !is_degraded(answer)) || std::chrono::steady_clock::now() > end)
            return answer;
    }
}

} // namespace marquee::test
