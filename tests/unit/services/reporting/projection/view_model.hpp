// The rule of counting once more, with plain maps, and random streams to be counted by both.
#pragma once

#include "schemas/rfc3339.hpp"
#include "services/reporting/projection/projection.hpp"
#include "tests/unit/services/kit.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace marquee::test
{

/// An event as a test writes it.
struct plain_event
{
    std::string id; ///< empty: a text event, without time
    std::string asset;
    std::string user;
    std::string time;
};

/// A message: events, or one correction.
struct plain_message
{
    std::vector<plain_event> events;
    std::string retract;
    std::string erase;
    nanoseconds stored{0};
};

class view_model
{
public:
    explicit view_model(nanoseconds window) : window_(window) {}

    void count(const plain_message& m)
    {
        forget(m.stored);
        if (!m.retract.empty())
            retract(m);
        else if (!m.erase.empty())
            erase(m.erase);
        for (const auto& event : m.events)
            add(event, m.stored);
    }

    struct sum
    {
        std::uint64_t views = 0;
        std::int64_t last = -1;
        void add(std::int64_t time)
        {
            ++views;
            last = std::max(last, time);
        }
    };

    std::map<std::string, sum> assets;
    std::map<std::string, sum> users;
    std::map<std::pair<std::string, std::string>, sum> pairs;            ///< user, asset
    std::map<std::pair<std::int64_t, std::string>, std::uint64_t> hours; ///< of UTC, by asset
    std::uint64_t duplicates = 0;
    std::uint64_t rejected = 0;
    std::uint64_t retracted = 0;
    std::uint64_t erased = 0;
    std::uint64_t refused_as_forgotten = 0; ///< of rejected: retractions of ids that are known no more
    std::uint64_t taken_again = 0;          ///< ids that would be duplicates, were they not forgotten

    [[nodiscard]] std::uint64_t viewers(const std::string& asset) const
    {
        return static_cast<std::uint64_t>(
            std::count_if(pairs.begin(), pairs.end(), [&](const auto& each) { return each.first.second == asset; }));
    }

    /// By asset, in hours from `first` to before `end`; an empty `asset` means all.
    [[nodiscard]] std::uint64_t between(std::int64_t first, std::int64_t end, const std::string& asset = "") const
    {
        std::uint64_t views = 0;
        for (const auto& [key, count] : hours)
            views += key.first >= first && key.first < end && (asset.empty() || key.second == asset) ? count : 0;
        return views;
    }

    [[nodiscard]] static std::int64_t ms_of_stream(nanoseconds stored) { return stored.count() / 1'000'000; }

private:
    struct use
    {
        nanoseconds stored{0};
        std::string asset;
        std::string user; ///< empty: its view is gone, or not known any more
        std::int64_t hour = 0;
        bool forgotten = false;
    };

    [[nodiscard]] bool is_near(const use& each, nanoseconds stored) const
    {
        return std::chrono::abs(each.stored - stored) < window_;
    }

    /// A window before the smallest timestamp of the last 10,000 messages.
    void forget(nanoseconds stored)
    {
        times_.push_back(stored);
        sorted_.insert(stored);
        if (times_.size() > 10'000)
        {
            sorted_.erase(sorted_.find(times_.front()));
            times_.pop_front();
        }
        if (times_.size() < 10'000)
            return;
        const auto end = by_time_.upper_bound(*sorted_.begin() - window_);
        for (auto each = by_time_.begin(); each != end; ++each)
            each->second->forgotten = true;
        by_time_.erase(by_time_.begin(), end);
    }

    void add(const plain_event& event, nanoseconds stored)
    {
        const auto by_stream = ms_of_stream(stored);
        auto time = by_stream;
        if (!event.id.empty())
        {
            auto& uses = uses_[event.id];
            if (std::any_of(uses.begin(), uses.end(),
                            [&](const use& each) { return is_near(each, stored) && !each.forgotten; }))
            {
                ++duplicates;
                return;
            }
            taken_again +=
                std::any_of(uses.begin(), uses.end(), [&](const use& each) { return is_near(each, stored); }) ? 1 : 0;
            const auto said = parse_rfc3339_utc(event.time).value().time_since_epoch().count();
            if (said >= 0 && said <= by_stream + 5 * 60 * 1000)
                time = said;
            uses.push_back({stored, event.asset, event.user, time / 3'600'000});
            by_time_.emplace(stored, &uses.back());
        }
        assets[event.asset].add(time);
        users[event.user].add(time);
        pairs[{event.user, event.asset}].add(time);
        ++hours[{time / 3'600'000, event.asset}];
    }

    void retract(const plain_message& m)
    {
        auto& uses = uses_[m.retract];
        const auto found = std::find_if(uses.rbegin(), uses.rend(),
                                        [&](const use& each) { return is_near(each, m.stored) && !each.forgotten; });
        if (found == uses.rend() || found->user.empty())
        {
            ++rejected;
            refused_as_forgotten +=
                std::any_of(uses.begin(), uses.end(),
                            [&](const use& each) { return is_near(each, m.stored) && each.forgotten; })
                    ? 1
                    : 0;
            return;
        }
        take_one(assets, found->asset);
        take_one(users, found->user);
        take_one(pairs, std::pair(found->user, found->asset));
        if (--hours[{found->hour, found->asset}] == 0)
            hours.erase({found->hour, found->asset});
        found->user.clear();
        ++retracted;
    }

    void erase(const std::string& user)
    {
        erased += users[user].views;
        users.erase(user);
        std::erase_if(pairs, [&](const auto& each) { return each.first.first == user; });
        for (auto& [id, uses] : uses_)
            for (auto& each : uses)
                if (each.user == user)
                    each.user.clear();
    }

    template <class Map>
    static void take_one(Map& from, const typename Map::key_type& key)
    {
        if (--from[key].views == 0)
            from.erase(key);
    }

    nanoseconds window_;
    std::map<std::string, std::deque<use>> uses_;
    std::multimap<nanoseconds, use*> by_time_; ///< those that are not forgotten
    std::deque<nanoseconds> times_;            ///< of the last 10,000 messages
    std::multiset<nanoseconds> sorted_;
};

inline std::string text_of(const plain_message& m)
{
    if (!m.retract.empty())
        return R"({"retract":")" + m.retract + "\"}";
    if (!m.erase.empty())
        return R"({"erase":")" + m.erase + "\"}";
    std::string lines;
    for (const auto& e : m.events)
        lines += (lines.empty() ? "" : "\n") + (e.id.empty()
                                                    ? e.asset + ':' + e.user
                                                    : R"({"id":")" + e.id + R"(","asset":")" + e.asset +
                                                          R"(","user":")" + e.user + R"(","time":")" + e.time + "\"}");
    return lines;
}

inline stored_message stored(std::uint64_t sequence, const plain_message& m)
{
    auto made = stored(sequence, text_of(m), m.stored);
    if (m.events.empty())
        made.subject = "events.admin";
    return made;
}

/// Messages of one event and of several, ids that repeat, times that lie, and corrections.
class random_views
{
public:
    /// Two messages are `step` seconds apart, at most.
    explicit random_views(unsigned seed, unsigned step = 1200) : random_(seed), step_(step) {}

    /// The clock is set back: this share of the time since the first message is left, and
    /// corrections name ids of then.
    void go_back(double share)
    {
        now_ = day_one + std::chrono::duration_cast<nanoseconds>((now_ - day_one) * share);
        ids_.resize(static_cast<std::size_t>(static_cast<double>(ids_.size()) * share));
    }

    std::vector<plain_message> make(std::size_t size)
    {
        std::vector<plain_message> all;
        for (std::size_t i = 0; i < size; ++i)
        {
            now_ += std::chrono::seconds(random_() % step_);
            plain_message m;
            m.stored = random_() % 15 == 0 ? now_ - std::chrono::hours(5) : now_;
            const auto kind = random_() % 12;
            if (kind == 0)
                m.retract = some_id();
            else if (kind == 1 && random_() % 3 == 0)
                m.erase = some_user();
            else if (kind < 5)
                add_batch(m, i);
            else
                m.events.push_back(
                    event(random_() % 4 == 0 ? "" : new_id("id-" + std::to_string(random_() % size)), m));
            all.push_back(std::move(m));
        }
        return all;
    }

private:
    std::string some_id()
    {
        return ids_.empty() || random_() % 10 == 0
                   ? "unknown"
                   : ids_[ids_.size() - 1 - random_() % std::min<std::size_t>(ids_.size(), 60)];
    }
    std::string new_id(std::string id)
    {
        ids_.push_back(id);
        return id;
    }
    std::string some_user() { return "u " + std::to_string(random_() % 12); }

    plain_event event(std::string id, const plain_message& m)
    {
        const auto ms = view_model::ms_of_stream(m.stored);
        static constexpr std::int64_t minute = 60'000;
        const std::int64_t times[] = {
            ms, ms, ms - 90 * minute, ms - 40 * 1440 * minute, ms + 5 * minute, ms + 5 * minute + 1, ms + 1440 * minute,
            -1, 0};
        const auto time = time_in_ms(std::chrono::milliseconds(times[random_() % std::size(times)]));
        return {std::move(id), "a" + std::to_string(random_() % 15), some_user(),
                rfc3339(std::chrono::system_clock::time_point(time))};
    }

    /// As an edge writes it; some lines keep an id of their own, and some batches come again.
    void add_batch(plain_message& m, std::size_t i)
    {
        if (!batches_.empty() && random_() % 6 == 0)
        {
            m.events = batches_[random_() % batches_.size()];
            if (random_() % 2 == 0)
                m.events.resize(1 + random_() % m.events.size());
            return;
        }
        auto batch = std::to_string(i);
        batch = "01" + std::string(24 - batch.size(), '0') + batch;
        const auto lines = 1 + random_() % 9;
        for (std::size_t line = 0; line < lines; ++line)
            m.events.push_back(event(
                new_id(random_() % 8 == 0 ? "k-" + std::to_string(random_() % 50) : batch + '.' + std::to_string(line)),
                m));
        batches_.push_back(m.events);
    }

    std::mt19937 random_;
    unsigned step_;
    nanoseconds now_ = day_one;
    std::vector<std::string> ids_;
    std::vector<std::vector<plain_event>> batches_;
};

} // namespace marquee::test
