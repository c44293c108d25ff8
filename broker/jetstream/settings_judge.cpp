// Which settings of a stream are refused, and which are accepted with a remark.
#include "broker/jetstream/stream_settings.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace marquee
{
namespace
{

namespace json = boost::json;

/// Reads settings. One that is absent, or has another JSON type, has its neutral value.
class settings_reader
{
public:
    explicit settings_reader(const json::object& from) : from_(from) {}

    [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t otherwise) const
    {
        const auto* value = from_.if_contains(name);
        if (value == nullptr || !value->is_number())
            return otherwise;
        boost::system::error_code ec;
        const auto out = value->to_number<std::int64_t>(ec);
        return ec ? otherwise : out;
    }
    [[nodiscard]] bool flag(std::string_view name) const
    {
        const auto* value = from_.if_contains(name);
        return value != nullptr && value->is_bool() && value->as_bool();
    }
    [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise) const
    {
        const auto* value = from_.if_contains(name);
        return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string(otherwise);
    }
    [[nodiscard]] std::vector<std::string> texts(std::string_view name) const
    {
        std::vector<std::string> out;
        if (const auto* value = from_.if_contains(name); value != nullptr && value->is_array())
            for (const auto& one : value->as_array())
                if (one.is_string())
                    out.emplace_back(one.as_string());
        return out;
    }
    /// Present, and neither null nor empty.
    [[nodiscard]] bool has(std::string_view name) const
    {
        const auto* value = from_.if_contains(name);
        return value != nullptr && ((value->is_object() && !value->as_object().empty()) ||
                                    (value->is_array() && !value->as_array().empty()));
    }

private:
    const json::object& from_;
};

std::string quoted(const std::string& word)
{
    return word.find_first_of("$>*") == std::string::npos ? word : '\'' + word + '\'';
}

std::string joined(const std::vector<std::string>& words, std::string_view between = ",")
{
    std::string out;
    for (const auto& word : words)
        out.append(out.empty() ? "" : between).append(word);
    return out;
}

class judge
{
public:
    judge(const stream_config& wanted, const json::object& found) : wanted_(wanted), found_(found) {}

    settings_judgement run()
    {
        look_at_origin();
        look_at_storing();
        look_at_full_streams();
        if (wanted_.key_value)
            look_at_bucket();
        else
            look_at_stream();
        look_at_use();
        return std::move(out_);
    }

private:
    void refuse(std::string setting, std::string value, std::string effect, std::string cure)
    {
        out_.refused.push_back({std::move(setting), std::move(value), std::move(effect), std::move(cure)});
    }
    void remark(std::string setting, std::string value, std::string effect, std::string cure = {})
    {
        out_.accepted.push_back({std::move(setting), std::move(value), std::move(effect), std::move(cure)});
    }
    [[nodiscard]] std::string edit(const std::string& options) const
    {
        return "nats stream edit " + wanted_.name + ' ' + options;
    }
    /// The command for a setting that no edit can change.
    [[nodiscard]] std::string recreate(const std::string& with) const
    {
        const auto& name = wanted_.name;
        return "nats stream backup " + name + " DIR, nats stream rm " + name +
               ", nats stream restore DIR --config FILE, where FILE is" + " the configuration with " + with;
    }
    [[nodiscard]] const char* messages() const { return wanted_.key_value ? "records" : "events"; }

    void look_at_origin();
    void look_at_subjects();
    void look_at_storing();
    void look_at_full_streams();
    void look_at_stream();
    void look_at_bucket();
    void look_at_use();
    void look_at_limits();

    const stream_config& wanted_;
    settings_reader found_;
    settings_judgement out_;
};

void judge::look_at_origin()
{
    if (found_.has("mirror"))
        refuse("mirror", "set", "it takes nothing but what another stream has",
               "nats stream rm " + wanted_.name + ", and a start makes it again");
    else
        look_at_subjects();
}

void judge::look_at_subjects()
{
    auto right = wanted_.further_subjects;
    right.insert(right.begin(), wanted_.subject);
    const auto found = found_.texts("subjects");
    const auto contains = [](const std::vector<std::string>& in, const std::string& one)
    { return std::find(in.begin(), in.end(), one) != in.end(); };
    const bool others = !std::all_of(found.begin(), found.end(), [&](const auto& one) { return contains(right, one); });
    if (others || !contains(found, wanted_.subject))
    {
        refuse("subjects", found.empty() ? "none" : joined(found),
               "it must take " + joined(right, " and ") + " and nothing else",
               edit("--subjects " + quoted(joined(right))));
        return;
    }
    for (const auto& further : wanted_.further_subjects)
        if (!contains(found, further))
            out_.missing.push_back(further);
}

/// Settings under which an acknowledged message may be lost.
void judge::look_at_storing()
{
    if (const auto storage = found_.text("storage", "file"); storage != "file")
        refuse("storage", storage, "a restart of the broker loses all of it", recreate("storage file"));
    if (const auto retention = found_.text("retention", "limits"); retention != "limits")
        refuse("retention", retention, "a message goes once somebody has read it",
               retention == "workqueue" ? recreate("retention limits") : edit("--retention limits"));
    if (found_.flag("no_ack"))
        refuse("no_ack", "true", "no publisher learns whether a message was stored", edit("--ack"));
    if (const auto mode = found_.text("persist_mode", "default"); mode == "async")
        refuse("persist_mode", mode,
               "messages are acknowledged before they are written, and a kill of the broker loses them",
               recreate("persist_mode default"));
}

void judge::look_at_full_streams()
{
    const auto discard = found_.text("discard", "old");
    if (discard == "new")
        return;
    if (!wanted_.allow_discard_old)
        refuse("discard", discard,
               std::string("a full stream drops its oldest ") + messages() + " instead of refusing new ones",
               edit("--discard new") + ", or the option --allow-discard-old");
    else if (found_.number("max_bytes", -1) > 0 || found_.number("max_msgs", -1) > 0)
        remark("discard", discard, std::string("a full stream drops its oldest ") + messages());
}

void judge::look_at_stream()
{
    if (found_.flag("allow_rollup_hdrs"))
        refuse("allow_rollup_hdrs", "true", "one message with Nats-Rollup erases all others",
               edit("--no-allow-rollup"));
    if (const auto most = found_.number("max_msgs", -1); most > 0)
        refuse("max_msgs", std::to_string(most) + " messages", "events beyond it are lost", edit("--max-msgs=-1"));
    if (const auto most = found_.number("max_msgs_per_subject", -1); most > 0)
        refuse("max_msgs_per_subject", std::to_string(most) + " messages", "events beyond it are lost",
               edit("--max-msgs-per-subject=-1"));
    if (const auto size = found_.number("max_msg_size", -1); size > 0 && std::cmp_less(size, wanted_.least_room))
        refuse("max_msg_size", size_text(size),
               "an event of the longest ids needs " + size_text(static_cast<std::int64_t>(wanted_.least_room)),
               edit("--max-msg-size=-1"));
    const std::chrono::nanoseconds age(found_.number("max_age", 0));
    if (age.count() > 0 && age != wanted_.max_age)
        remark("max_age", duration_text(age), "older events go, and those not counted by then are lost");
    else if (age != wanted_.max_age)
        remark("max_age", "none", "--max-age is for a stream that gets made",
               edit("--max-age " + duration_text(wanted_.max_age)));
    if (found_.flag("allow_msg_ttl"))
        remark("allow_msg_ttl", "true", "an event with Nats-TTL goes at its time, counted or not");
}

void judge::look_at_bucket()
{
    if (const std::chrono::nanoseconds age(found_.number("max_age", 0)); age.count() > 0)
        refuse("max_age", duration_text(age), "records vanish without a word", edit("--max-age 0s"));
    if (found_.flag("allow_msg_ttl") && found_.number("subject_delete_marker_ttl", 0) <= 0)
        refuse("allow_msg_ttl", "true without subject_delete_marker_ttl", "records with Nats-TTL vanish without a word",
               edit("--subject-del-markers-ttl 1h"));
    if (const auto most = found_.number("max_msgs", -1); most > 0)
        remark("max_msgs", std::to_string(most) + " messages", "beyond it records are refused");
    if (const auto size = found_.number("max_msg_size", -1); size > 0)
        remark("max_msg_size", size_text(size), "larger records are refused");
}

/// The operator's choice on a stream of any kind.
void judge::look_at_use()
{
    look_at_limits();
    if (found_.flag("sealed"))
        remark("sealed", "true", "nothing can be stored");
    if (found_.flag("discard_new_per_subject"))
        remark("discard_new_per_subject", "true", "a subject that has its messages takes no more",
               edit("--no-discard-per-subject"));
    if (found_.flag("allow_msg_counter"))
        remark("allow_msg_counter", "true", std::string(messages()) + " are not stored as they are sent");
    if (found_.has("subject_transform"))
        remark("subject_transform", "set", std::string(messages()) + " are stored under other subjects",
               edit("--no-transform"));
    if (found_.has("sources"))
        remark("sources", "set", "messages of other streams come in, too");
    if (const auto mode = found_.text("persist_mode", "default"); mode != "default" && mode != "async" && !mode.empty())
        remark("persist_mode", mode, "what an acknowledgement means under it is not known");
}

void judge::look_at_limits()
{
    if (const auto bytes = found_.number("max_bytes", -1);
        std::max<std::int64_t>(bytes, -1) != wanted_.max_bytes && bytes != 0)
    {
        if (bytes > 0)
            remark("max_bytes", size_text(bytes), std::string("beyond it new ") + messages() + " are refused");
        else
            remark("max_bytes", "none", "--max-bytes is for a stream that gets made",
                   edit("--max-bytes " + std::to_string(wanted_.max_bytes)));
    }
    if (const auto most = found_.number("max_consumers", -1); most > 0)
        remark("max_consumers", std::to_string(most), "an instance beyond that number cannot read",
               edit("--max-consumers=-1"));
    if (const auto copies = found_.number("num_replicas", 1); copies < wanted_.replicas)
        remark("num_replicas", std::to_string(copies),
               "a lost server may lose all of it; --replicas is for a stream that gets made",
               edit("--replicas " + std::to_string(wanted_.replicas)));
}

} // namespace

settings_judgement judge_settings(const stream_config& wanted, const json::object& found)
{
    return judge(wanted, found).run();
}

} // namespace marquee
