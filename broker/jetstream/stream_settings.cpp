#include "broker/jetstream/stream_settings.hpp"

#include <boost/json/array.hpp>

#include <array>
#include <utility>

namespace marquee
{

namespace json = boost::json;

json::object creation_config(const stream_config& wanted, std::string_view id)
{
    json::array subjects{json::string(wanted.subject)};
    for (const auto& further : wanted.further_subjects)
        subjects.emplace_back(further);
    json::object config{{"name", wanted.name},
                        {"subjects", std::move(subjects)},
                        {"retention", "limits"},
                        {"storage", "file"},
                        {"discard", "new"},
                        {"num_replicas", wanted.replicas},
                        {"duplicate_window", wanted.duplicate_window.count()},
                        {"max_age", wanted.max_age.count()},
                        {"max_bytes", wanted.max_bytes},
                        {"max_msgs", -1},
                        {"max_consumers", -1},
                        {"max_msgs_per_subject", wanted.key_value ? 1 : -1},
                        {"max_msg_size", -1},
                        {"metadata", json::object{{stream_id_key, id}}}};
    if (!wanted.description.empty())
        config["description"] = wanted.description;
    if (wanted.key_value)
    {
        config["allow_rollup_hdrs"] = true;
        config["deny_delete"] = true;
        config["allow_direct"] = true;
    }
    return config;
}

std::string text_of(const std::vector<setting_remark>& remarks)
{
    std::string out;
    for (const auto& one : remarks)
    {
        out.append(out.empty() ? "" : "; ")
            .append(one.setting)
            .append(" is ")
            .append(one.value)
            .append(": ")
            .append(one.effect);
        if (!one.cure.empty())
            out.append(" (").append(one.cure).append(")");
    }
    return out;
}

std::string refusal_text(std::string_view stream, const settings_judgement& judged)
{
    if (judged.refused.empty())
        return {};
    return "stream " + std::string(stream) + " cannot be used: " + text_of(judged.refused);
}

std::string duration_text(std::chrono::nanoseconds time)
{
    constexpr std::array<std::pair<std::int64_t, const char*>, 6> units = {{{3'600'000'000'000, "h"},
                                                                            {60'000'000'000, "m"},
                                                                            {1'000'000'000, "s"},
                                                                            {1'000'000, "ms"},
                                                                            {1'000, "us"},
                                                                            {1, "ns"}}};
    std::string out;
    auto left = time.count();
    for (const auto& [size, name] : units)
        if (const auto count = left / size; count > 0)
        {
            out += std::to_string(count) + name;
            left -= count * size;
        }
    return out.empty() ? "0s" : out;
}

std::string size_text(std::int64_t bytes)
{
    constexpr std::array<std::pair<std::int64_t, const char*>, 4> units = {
        {{std::int64_t{1} << 40, " TiB"}, {1 << 30, " GiB"}, {1 << 20, " MiB"}, {1 << 10, " KiB"}}};
    for (const auto& [size, name] : units)
        if (bytes >= size && bytes % size == 0)
            return std::to_string(bytes / size) + name;
    return std::to_string(bytes) + " bytes";
}

} // namespace marquee
