#include "broker/nats/jetstream_prefix.hpp"

namespace marquee
{

namespace
{

constexpr std::string_view api = "$JS.API.";
constexpr std::string_view keys = "$KV.";

} // namespace

std::string jetstream_prefix_of(std::string_view domain) { return "$JS." + std::string(domain) + ".API"; }

bool has_jetstream_prefix(std::string_view subject) noexcept
{
    return subject.starts_with(api) || subject.starts_with(keys);
}

std::string with_jetstream_prefix(std::string_view subject, std::string_view prefix)
{
    std::string out(prefix);
    out += '.';
    out += subject.starts_with(api) ? subject.substr(api.size()) : subject;
    return out;
}

} // namespace marquee
