#include "broker/jetstream/jetstream_api.hpp"
#include "broker/jetstream/stream_settings.hpp"
#include "schemas/parse_number.hpp"
#include "tools/doctor/checks.hpp"

#include <array>
#include <cstdio>
#include <optional>
#include <string_view>

namespace marquee::doctor
{
namespace
{

using version = std::array<unsigned, 3>;

constexpr version oldest{2, 10, 0};
constexpr version without_known_holes{2, 10, 27};

/// Of `2.10.27` and `2.12.0-beta.1`.
std::optional<version> read_version(std::string_view text)
{
    version found{};
    for (auto& part : found)
    {
        const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
        const auto number = parse_number<unsigned>(digits);
        if (!number)
            return std::nullopt;
        part = *number;
        text.remove_prefix(digits.size());
        if (!text.empty() && text.front() == '.')
            text.remove_prefix(1);
    }
    return found;
}

std::string milliseconds_text(std::chrono::steady_clock::duration time)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f ms", std::chrono::duration<double, std::milli>(time).count());
    return text.data();
}

} // namespace

void check_version(const std::string& text, findings& into)
{
    const std::string cure = "install nats-server 2.10.27 or newer, one server after the other";
    const auto about = "nats-server " + (text.empty() ? "of an unknown version" : text);
    const auto found = read_version(text);
    if (!found)
        into.push_back({severity::warning, "broker", about, cure});
    else if (*found < oldest)
        into.push_back({severity::problem, "broker", about + " lacks what Marquee uses", cure});
    else if (*found < without_known_holes)
        into.push_back({severity::warning, "broker", about + " has known security holes", cure});
    else
        into.push_back({severity::ok, "broker", about, {}});
}

void check_account(const boost::json::object& account, findings& into)
{
    const auto* limits = object_in(account, "limits");
    const auto most = limits == nullptr ? 0 : number_in(*limits, "max_storage"); // -1, no limit, reads as 0
    const auto used = number_in(account, "storage");
    into.push_back(
        {severity::ok,
         "JetStream",
         "streams use " + size_about(used) + (most > 0 ? " of " + size_about(most) : ", the account has no limit"),
         {}});
    add_fullness(into, "JetStream", "the account's storage", used, most,
                 "raise max_storage of the account in the server's configuration, or purge a stream");
}

void add_fullness(findings& into, const std::string& about, const std::string& what, std::uint64_t used,
                  std::uint64_t limit, const std::string& cure)
{
    if (limit == 0 || used / 4 < limit / 5) // 80 %, without overflow
        return;
    const auto percent = static_cast<unsigned>(static_cast<double>(used) / static_cast<double>(limit) * 100);
    into.push_back({percent >= 98 ? severity::problem : severity::warning, about,
                    what + " is " + std::to_string(percent) + " % full: what finds no room is refused", cure});
}

asio::awaitable<void> check_broker(broker_access& of, findings& into)
{
    check_version(of.nats.server_version(), into);
    const auto begin = std::chrono::steady_clock::now();
    auto flushing = of.nats.flush(deadline::in(of.timeout));
    if (const bool answered = co_await std::move(flushing); answered)
        into.push_back(
            {severity::ok, "broker", "round trip " + milliseconds_text(std::chrono::steady_clock::now() - begin), {}});
    else
        into.push_back({severity::problem, "broker", "no answer to a PING within the time",
                        "look at the server's log and load, or give it more time with --timeout"});

    const auto where = subject::of({"$JS", "API", "INFO"});
    auto asking = call_jetstream(of.nats.requests(), where, std::string(), deadline::in(of.timeout));
    const auto account = co_await std::move(asking);
    if (account.has_error())
        into.push_back({severity::problem, "JetStream",
                        "no answer (" + std::string(name_of(account.error().code)) +
                            "): it is not enabled, or this user may not ask $JS.API.INFO",
                        "set `jetstream` in the server's configuration, and for the account"});
    else if (account->failed())
        into.push_back({severity::problem, "JetStream", account->description,
                        "set `jetstream` in the server's configuration, and for the account"});
    else
        check_account(account->body, into);
}

} // namespace marquee::doctor
