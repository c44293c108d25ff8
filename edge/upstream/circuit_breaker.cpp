#include "edge/upstream/circuit_breaker.hpp"

#include <algorithm>

namespace marquee
{

circuit_breaker::permit circuit_breaker::admit(clock::time_point now) noexcept
{
    if (!open_)
        return permit::granted;
    if (probing_ || now < open_until_)
        return permit::refused;
    probing_ = true;
    return permit::probe;
}

void circuit_breaker::report(permit with, outcome what, clock::time_point sent_at, clock::time_point now) noexcept
{
    if (what == outcome::answer)
        return reset(now);
    if (open_)
    {
        if (with != permit::probe || !probing_)
            return;
        probing_ = false;
        if (what == outcome::failure)
            open(std::min(2 * pause_, longest_pause), now);
        return;
    }
    if (what == outcome::unknown || sent_at < last_answer_)
        return;
    ++failures_;
    if (failures_ >= failures_to_open && now - last_answer_ >= min_silence_to_open)
        open(first_pause, now);
}

void circuit_breaker::reset(clock::time_point now) noexcept
{
    last_answer_ = now;
    failures_ = 0;
    open_ = false;
    probing_ = false;
}

void circuit_breaker::open(std::chrono::milliseconds pause, clock::time_point now) noexcept
{
    open_ = true;
    pause_ = pause;
    std::uniform_int_distribution<std::int64_t> part(pause.count() * 3 / 4, pause.count());
    open_until_ = now + std::chrono::milliseconds(part(rng_));
}

std::string_view name_of(circuit_breaker::position where) noexcept
{
    switch (where)
    {
    case circuit_breaker::position::closed:
        return "closed";
    case circuit_breaker::position::open:
        return "open";
    case circuit_breaker::position::half_open:
        return "half open";
    }
    return "";
}

} // namespace marquee
