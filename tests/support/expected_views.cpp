#include "tests/support/expected_views.hpp"

#include "tests/support/http_client.hpp"
#include "tests/support/urls.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>
#include <functional>

namespace marquee::test
{

namespace
{

std::uint64_t hash(const std::string& event) { return std::hash<std::string>{}(event); }

/// Checks `count` of `what`: `floor` when the play started, `attempted` plays in all.
std::string judge_count(const std::string& what, std::uint64_t count, std::uint64_t floor, bool fresh,
                        std::uint64_t attempted)
{
    const auto least = std::max<std::uint64_t>(1, floor + (fresh ? 1 : 0));
    if (count >= least && count <= attempted)
        return {};
    return what + " is " + std::to_string(count) + ", neither below " + std::to_string(least) + " nor above " +
           std::to_string(attempted) + " can be right";
}

} // namespace

expected_views::floor expected_views::attempt(const play& what)
{
    const std::lock_guard lock(mutex_);
    auto& asset = assets_[what.asset];
    auto& user = users_[what.user];
    floor now{asset.highest_seen, user.highest_seen, attempted_.insert(hash(what.event)).second};
    if (now.fresh)
    {
        ++asset.attempted;
        ++user.attempted;
    }
    return now;
}

void expected_views::acknowledge(const play& what)
{
    const std::lock_guard lock(mutex_);
    if (!acknowledged_.insert(hash(what.event)).second)
        return;
    ++assets_[what.asset].acknowledged;
    ++users_[what.user].acknowledged;
}

std::string expected_views::judge(const play& what, const floor& from, std::uint64_t assetviews,
                                  std::uint64_t userviews)
{
    const std::lock_guard lock(mutex_);
    auto& asset = assets_[what.asset];
    auto& user = users_[what.user];
    auto wrong = judge_count("assetviews of " + what.asset, assetviews, from.asset, from.fresh, asset.attempted);
    if (wrong.empty())
        wrong = judge_count("userviews of " + what.user, userviews, from.user, from.fresh, user.attempted);
    asset.highest_seen = std::max(asset.highest_seen, assetviews);
    user.highest_seen = std::max(user.highest_seen, userviews);
    return wrong;
}

std::map<std::string, view_bounds> expected_views::assets() const
{
    const std::lock_guard lock(mutex_);
    return assets_;
}

std::map<std::string, view_bounds> expected_views::users() const
{
    const std::lock_guard lock(mutex_);
    return users_;
}

std::uint64_t expected_views::acknowledged() const
{
    const std::lock_guard lock(mutex_);
    return acknowledged_.size();
}

std::uint64_t expected_views::attempted() const
{
    const std::lock_guard lock(mutex_);
    return attempted_.size();
}

namespace
{

/// Compares every counter of a kind; adds what is wrong, and returns the sum of all counts.
boost::asio::awaitable<std::uint64_t> compare(http_client& edge, std::string path,
                                              std::map<std::string, view_bounds> all, bool exact,
                                              std::vector<std::string>& wrong)
{
    std::uint64_t sum = 0;
    for (const auto& [id, bounds] : all)
    {
        http_call call;
        call.target = path + percent_encoded(id);
        const auto answer = co_await edge.send(call);
        if (answer.status != 200 && (answer.status != 404 || bounds.acknowledged > 0))
        {
            wrong.push_back(call.target + " answers " + std::to_string(answer.status) + " " + answer.body);
            continue;
        }
        const auto views = answer.status == 404 ? 0 : static_cast<std::uint64_t>(answer.number("views"));
        sum += views;
        if (views < bounds.acknowledged || views > bounds.attempted ||
            (exact && bounds.acknowledged != bounds.attempted))
            wrong.push_back(call.target + " is " + std::to_string(views) + ", acknowledged " +
                            std::to_string(bounds.acknowledged) + ", attempted " + std::to_string(bounds.attempted));
    }
    co_return sum;
}

} // namespace

std::vector<std::string> wrong_counts(const expected_views& expected, int port, bool exact)
{
    std::vector<std::string> wrong;
    std::exception_ptr failure;
    boost::asio::io_context io(1);
    http_client edge(io, port);
    auto body = [&]() -> boost::asio::awaitable<void>
    {
        const auto assets = co_await compare(edge, "/events/asset/", expected.assets(), exact, wrong);
        const auto users = co_await compare(edge, "/events/user/", expected.users(), exact, wrong);
        if (assets != users)
            wrong.push_back("the assets have " + std::to_string(assets) + " views, the users " + std::to_string(users));
    };
    boost::asio::co_spawn(io, body, [&](std::exception_ptr e) { failure = e; });
    io.run();
    if (failure)
        std::rethrow_exception(failure);
    return wrong;
}

} // namespace marquee::test
