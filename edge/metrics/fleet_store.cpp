#include "edge/metrics/fleet_store.hpp"

#include "edge/metrics/fleet_documents.hpp"
#include "edge/metrics/fleet_rows.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace marquee
{

namespace json = boost::json;

namespace
{

constexpr metric_family stream_leader_family{"marquee_stream_has_leader", "gauge",
                                             "0 where the stream does not answer, or has no leader."};
constexpr metric_family replicas_family{"marquee_stream_replicas", "gauge", "Copies that the stream is to have."};
constexpr metric_family in_sync_family{"marquee_stream_replicas_in_sync", "gauge", "Copies that have everything."};

constexpr std::array stream_rows{
    number_row{"bytes", {"marquee_stream_bytes", "gauge", "Bytes in the stream."}},
    number_row{"messages", {"marquee_stream_messages", "gauge", "Messages in the stream."}},
    number_row{"last_seq", {"marquee_stream_last_sequence", "gauge", "Sequence of the last message."}},
    number_row{"consumer_count", {"marquee_stream_consumers", "gauge", "Consumers of the stream."}},
};

constexpr number_row stream_limit{
    "max_bytes", {"marquee_stream_max_bytes", "gauge", "Limit of its bytes; absent without one."}, 1, true};

constexpr std::array account_rows{
    number_row{"storage", {"marquee_account_storage_bytes", "gauge", "Bytes of all streams in files."}},
    number_row{"memory", {"marquee_account_memory_bytes", "gauge", "Bytes of all streams in memory."}},
    number_row{"streams", {"marquee_account_streams", "gauge", "Streams of the account."}},
    number_row{"consumers", {"marquee_account_consumers", "gauge", "Consumers of the account."}},
};

constexpr std::array account_limit_rows{
    number_row{"max_storage",
               {"marquee_account_storage_limit_bytes", "gauge", "Limit of bytes in files; absent without one."},
               1,
               true},
    number_row{"max_memory",
               {"marquee_account_memory_limit_bytes", "gauge", "Limit of bytes in memory; absent without one."},
               1,
               true},
    number_row{
        "max_streams", {"marquee_account_streams_limit", "gauge", "Limit of streams; absent without one."}, 1, true},
    number_row{"max_consumers",
               {"marquee_account_consumers_limit", "gauge", "Limit of consumers; absent without one."},
               1,
               true},
};

/// The leader, and the copies that have what it has.
std::uint64_t copies_in_sync(const json::object& cluster)
{
    const auto* others = cluster.if_contains("replicas");
    if (others == nullptr || !others->is_array())
        return 1;
    const auto is_in_sync = [](const json::value& each)
    {
        const auto* copy = each.is_object() ? &each.as_object() : nullptr;
        const auto is = [copy](std::string_view member)
        {
            const auto* found = copy->if_contains(member);
            return found != nullptr && *found == true;
        };
        return copy != nullptr && is("current") && !is("offline");
    };
    const auto& list = others->as_array();
    return 1 + static_cast<std::uint64_t>(std::count_if(list.begin(), list.end(), is_in_sync));
}

/// Of an account with tiers (R1, R3) the one whose storage is fullest: the account itself has no
/// limits then. Else the account.
const json::object& fullest_tier(const json::object& account)
{
    const auto* fullest = &account;
    const auto* tiers = reported_object(account, "tiers");
    if (tiers == nullptr)
        return *fullest;
    double most = -1;
    for (const auto& [name, value] : *tiers)
    {
        const auto* tier = value.if_object();
        const auto* limits = tier != nullptr ? reported_object(*tier, "limits") : nullptr;
        if (limits == nullptr)
            continue;
        const auto limit = reported_number(*limits, "max_storage").value_or(0);
        const auto share = limit > 0 ? reported_number(*tier, "storage").value_or(0) / limit : 0;
        if (share > most)
        {
            most = share;
            fullest = tier;
        }
    }
    return *fullest;
}

} // namespace

void add_stream(exposition& page, const std::optional<json::object>& reply)
{
    const auto labels = as_label("stream", "EVENTS");
    const auto* config = reply ? reported_object(*reply, "config") : nullptr;
    const auto* state = reply ? reported_object(*reply, "state") : nullptr;
    if (config == nullptr || state == nullptr)
        return page.add(stream_leader_family, labels, 0);
    const auto* cluster = reported_object(*reply, "cluster"); // one server alone has none, or one without replicas
    const auto* leader = cluster != nullptr ? cluster->if_contains("leader") : nullptr;
    const bool led = cluster == nullptr || (leader != nullptr && leader->is_string() && !leader->as_string().empty());
    page.add(stream_leader_family, labels, led ? 1 : 0);
    if (const auto copies = reported_whole(*config, "num_replicas"))
        page.add(replicas_family, labels, *copies);
    page.add(in_sync_family, labels, !led ? 0 : cluster == nullptr ? 1 : copies_in_sync(*cluster));
    add_numbers(page, stream_rows, *state, labels);
    add_number(page, stream_limit, *config, labels);
}

void add_account(exposition& page, const std::optional<json::object>& reply)
{
    if (!reply)
        return;
    const auto& shown = fullest_tier(*reply);
    add_numbers(page, account_rows, shown, "");
    if (const auto* limits = reported_object(shown, "limits"))
        add_numbers(page, account_limit_rows, *limits, "");
}

} // namespace marquee
