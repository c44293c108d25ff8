#include "broker/base/log.hpp"
#include "broker/base/wait.hpp"
#include "broker/nats/connection.hpp"
#include "tools/doctor/checks.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <filesystem>
#include <list>
#include <optional>

namespace marquee::doctor
{
namespace
{

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A user of broker/nats-server/permissions.json, and two requests that change nothing whoever
/// makes them.
struct user
{
    std::string_view name;
    std::optional<subject> allowed; ///< none: it may only publish to its own inbox and to `events`
    subject refused;
};

const std::list<user>& all_users()
{
    const auto info_of = [](std::string_view stream) { return subject::of({"$JS", "API", "STREAM", "INFO", stream}); };
    const auto events = info_of("EVENTS");
    const auto metadata = info_of("KV_metadata");
    const auto servers = subject::of({"$SYS", "REQ", "SERVER", "PING"});
    static const std::list<user> all{{"edge", events, metadata},
                                     {"metadata", metadata, events},
                                     {"cdnurl", info_of("KV_cdnurl"), events},
                                     {"reporting", events, metadata},
                                     {"operator", subject::of({"$JS", "API", "INFO"}), servers},
                                     {"viewer", subjects::metadata_list(), events},
                                     {"replay", std::nullopt, events},
                                     {"system", servers, subjects::metadata_list()}};
    return all;
}

/// Whether the broker has let a request pass. That a service is away is no matter of permissions.
bool has_passed(const result<message>& reply) { return reply.has_value() || reply.error() != errc::timeout; }

/// Waits until the broker has refused something; false if it has not in time. Its word comes later
/// than what it has sent after it.
asio::awaitable<bool> is_refused(connection& nats, std::uint64_t before, deadline until)
{
    asio::steady_timer timer(nats.context());
    while (nats.stats().async_errors == before && !until.passed())
    {
        const auto next = until.sooner(deadline::in(10ms));
        auto waiting = wait(timer, next);
        (void)co_await std::move(waiting);
    }
    co_return nats.stats().async_errors != before;
}

asio::awaitable<void> try_user(connection& nats, const user& who, std::chrono::milliseconds timeout, findings& into)
{
    const auto about = "user " + std::string(who.name);
    const std::string cure = "give it what broker/nats-server/secure.conf does";
    const auto before = into.size();
    if (who.allowed)
    {
        const auto asked = nats.requests().request(*who.allowed, {}, {}, deadline::in(timeout));
        auto receiving = asked.receive();
        if (const auto reply = co_await std::move(receiving); !has_passed(reply))
            into.push_back({severity::problem, about,
                            nats.stats().async_errors > 0 ? "may not ask " + who.allowed->str()
                                                          : "no answer to " + who.allowed->str(),
                            cure});
    }
    else
    {
        auto flushing = nats.flush(deadline::in(timeout));
        if (const bool answered = co_await std::move(flushing); !answered)
            into.push_back({severity::problem, about, "may not publish to its own inbox", cure});
    }
    const auto refusals = nats.stats().async_errors;
    const auto until = deadline::in(timeout);
    const auto asked = nats.requests().request(who.refused, {}, {}, until);
    auto refusing = is_refused(nats, refusals, until);
    if (const bool refused = co_await std::move(refusing); !refused)
        into.push_back({severity::problem, about, "may ask " + who.refused.str() + ", which is for others", cure});
    if (into.size() == before)
        into.push_back(
            {severity::ok,
             about,
             "may " + (who.allowed ? "ask " + who.allowed->str() : "publish") + ", and not ask " + who.refused.str(),
             {}});
    auto closing = nats.close(deadline::in(1s));
    co_await std::move(closing);
}

void check_mode(const fs::path& seed, findings& into)
{
    std::error_code ec;
    const auto mode = fs::status(seed, ec).permissions();
    if (!ec && (mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none)
        into.push_back({severity::warning, "user " + seed.stem().string(), seed.string() + " is not its owner's alone",
                        "chmod 600 " + seed.string()});
}

connection_options with_seed(connection_options how, const std::string& seed, std::string_view user)
{
    for (auto* each : {&how.user, &how.password, &how.token, &how.creds_file, &how.user_jwt, &how.user_seed})
        each->clear();
    how.nkey_file = seed;
    how.inbox_prefix = user.empty() ? "_INBOX" : "_INBOX_" + std::string(user);
    return how;
}

} // namespace

void check_users(const connection_options& how, const std::string& folder, std::chrono::milliseconds timeout,
                 findings& into)
{
    if (!is_logged(log_level::debug))
        set_log_level(log_level::error); // each refusal that is provoked would be a line
    asio::io_context io(1);
    if (connection::open(io, with_seed(how, {}, {})).has_error())
        into.push_back({severity::ok, "users", "nobody is connected without credentials", {}});
    else
        into.push_back({severity::problem, "users", "whoever has no credentials is connected too",
                        "start the brokers with broker/nats-server/secure.conf, as ./run --secure does"});

    std::list<std::unique_ptr<connection>> open;
    std::list<findings> found; // of each user: they are tried at the same time
    for (const auto& who : all_users())
    {
        auto& own = found.emplace_back();
        const auto seed = fs::path(folder) / (std::string(who.name) + ".nk");
        std::error_code ec;
        if (!fs::exists(seed, ec))
        {
            own.push_back({severity::warning, "user " + std::string(who.name), seed.string() + " is missing",
                           "name the folder of the seeds, such as data/secure/nkeys, with --credentials"});
            continue;
        }
        check_mode(seed, own);
        auto nats = connection::open(io, with_seed(how, seed.string(), who.name));
        if (nats.has_error())
        {
            own.push_back({severity::problem, "user " + std::string(who.name),
                           "cannot connect with " + seed.string() + ": " + nats.error().detail,
                           "put its public key in the brokers' nkeys.conf, and let them read it again"});
            continue;
        }
        open.push_back(std::move(*nats));
        asio::co_spawn(io, try_user(*open.back(), who, timeout, own),
                       [](const std::exception_ptr& bug)
                       {
                           if (bug)
                               std::rethrow_exception(bug);
                       });
    }
    io.run();
    for (auto& own : found)
        std::move(own.begin(), own.end(), std::back_inserter(into));
}

} // namespace marquee::doctor
