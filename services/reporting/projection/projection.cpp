#include "services/reporting/projection/projection.hpp"

#include "broker/base/log.hpp"
#include "services/reporting/projection/projection_file.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{

projection::projection(projection_settings settings, std::unique_ptr<projection_file> file)
    : settings_(std::move(settings)), file_(std::move(file)), assets_(file_->tables().counters()),
      users_(file_->tables().counters()), steps_(file_->tables().steps()), ids_(file_->tables())
{
}

projection::projection(projection&&) noexcept = default;
projection& projection::operator=(projection&&) noexcept = default;
projection::~projection() = default;

result<projection> projection::open(projection_settings settings, std::shared_ptr<file_lock> lock)
{
    if (!lock)
    {
        auto own = file_lock::take(settings.path + ".lock");
        if (own.has_error())
            return own.error();
        lock = std::make_shared<file_lock>(std::move(*own));
    }
    try
    {
        auto file = std::make_unique<projection_file>(settings.path, std::move(lock));
        projection opened(settings, std::move(file));
        if (auto loaded = opened.load(); loaded.has_error())
            return loaded.error();
        return opened;
    }
    catch (const SQLite::Exception& e)
    {
        return database_error(settings.path, e);
    }
}

projection projection::none()
{
    projection_settings in_memory;
    in_memory.path = ":memory:";
    projection opened(in_memory, std::make_unique<projection_file>(in_memory.path, nullptr));
    (void)opened.load();
    return opened;
}

result<void> projection::load()
{
    bool sound = false;
    auto loaded = file_->write(
        [&](projection_tables& tables)
        {
            rule_ = tables.load(counted_.progress, counted_.ids, {counting_version, settings_.dedupe_window});
            const auto& p = counted_.progress;
            sound = tables.counters().sums_match(p.applied - p.retracted, p.applied - p.retracted - p.erased);
        });
    if (loaded.has_error())
        return loaded;
    committed_ = counted_;
    if (!sound)
        return fail(errc::unavailable,
                    "database " + settings_.path + ": the counts do not add up (--rebuild is the cure)");
    return {};
}

result<void> projection::take_over(const counting_rule& rule, std::uint64_t since)
{
    if (auto written = commit(); written.has_error())
        return written;
    auto done = file_->write([&](projection_tables& tables) { tables.set_rule(rule, since); });
    if (done.has_error())
        return done;
    rule_ = rule;
    counted_.progress.rule_since = since;
    counted_.ids.set_window(rule.dedupe_window);
    committed_ = counted_;
    return {};
}

result<void> projection::mark_rebuilt(bool rebuilt)
{
    if (auto written = commit(); written.has_error() || counted_.progress.rebuilt == rebuilt)
        return written;
    auto next = counted_;
    next.progress.rebuilt = rebuilt;
    return save(std::move(next), nullptr);
}

result<bool> projection::empty_log()
{
    if (auto written = commit(); written.has_error())
        return written.error();
    return file_->empty_log();
}

result<void> projection::attach(const stream_state& stream, last_counted last)
{
    if (auto written = commit(); written.has_error())
        return written;
    const auto& now = counted_.progress;
    const auto judged = judge_stream({now.stream_id, now.last_sequence}, stream, last);
    const bool first = !std::exchange(attached_, true);
    auto next = counted_;
    if (judged.finding != stream_finding::same)
    {
        if (!settings_.accept_loss || (!first && judged.finding != stream_finding::loss))
            return fail(errc::unavailable, judged.why);
        accept(judged, stream, next.progress);
    }
    if (judged.id_was_removed && !std::exchange(id_loss_told_, true))
        log(log_level::warning, "the stream has lost its id",
            {{"id", judged.id}, {"metadata", std::string(stream_id_key)}});
    offered_id_ = judged.id;
    if (judged.id_is_settled)
        next.progress.stream_id = judged.id;
    if (next.progress.stream_id == now.stream_id && next.progress.last_sequence == now.last_sequence &&
        next.progress.last_timestamp == now.last_timestamp) // another stream may end at the same sequence
        return {};
    return save(std::move(next), &judged);
}

/// Moves `next` to where counting goes on in spite of what is gone.
void projection::accept(const stream_judgement& judged, const stream_state& stream, projection_progress& next) const
{
    log(log_level::warning, "a loss is accepted",
        {{"what", judged.why}, {"goes_on_after", std::to_string(judged.continue_after)}});
    if (judged.finding == stream_finding::loss)
        next.skipped +=
            judged.continue_after - std::max(next.last_sequence, std::max<std::uint64_t>(stream.declared_first, 1) - 1);
    next.last_sequence = judged.continue_after;
    next.last_timestamp = {};
}

/// Commits `next` in place of what is counted. Nothing may be staged. `judged`: of an attach().
result<void> projection::save(moment next, const stream_judgement* judged)
{
    auto saved = file_->write(
        [&](projection_tables& tables)
        {
            if (judged != nullptr && judged->finding == stream_finding::another) // its sequences come again
                next.ids.lower_sequences(tables.lower_uses(next.progress.last_sequence));
            tables.save(next.progress, next.ids, next.ids.messages());
        });
    if (saved.has_value())
        committed_ = counted_ = std::move(next);
    else
        (void)file_->run([](projection_tables& tables) { tables.erased().read_hidings(); });
    return saved;
}

} // namespace marquee
