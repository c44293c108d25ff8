// How a bucket comes into memory: by watching it.
#include "broker/log_quota.hpp"
#include "services/catalogue/kv_store.hpp"

#include <boost/asio/post.hpp>

#include <limits>

namespace marquee
{
namespace
{

constexpr auto longest_silence = std::chrono::seconds(3);               // while the end of the bucket has not been seen
constexpr std::string_view header_operation = "KV-Operation";           // DEL or PURGE: a marker in place of a value
constexpr std::string_view header_marker_reason = "Nats-Marker-Reason"; // the server's own marker, where a value expired
constexpr std::string_view header_rollup = "Nats-Rollup";               // this message removed others: sub or all

/// A marker in place of a value: of ADR-8, or the server's own, which is empty. Whatever else stands in those headers, and in others, the
/// message is a value.
bool is_marker(const stored_message& m)
{
    const auto operation = m.headers.get(header_operation);
    return operation == "DEL" || operation == "PURGE" || (m.data.empty() && m.headers.has(header_marker_reason));
}

} // namespace

void kv_store::watch_from_start()
{
    ordered_consumer::settings what;
    what.stream = "KV_" + what_.bucket;
    watch_ = ordered_consumer::start(
        nats_, std::move(what), [this](const std::vector<stored_message>& batch) { take(batch); },
        [this](bool up, const stream_state& bucket) { watch_changed(up, bucket); },
        [this](lost_place)
        {
            // Overwritten meanwhile, as a bucket's messages are, or never in this bucket: which of the two cannot be told.
            read_anew("the last revision seen is gone");
        });
}

/// Everything anew, from the start of the bucket; what there is is served meanwhile.
void kv_store::watch_again()
{
    if (watching())
        stale_since_ = deadline::clock::now();
    up_ = complete_ = false;
    ++watches_;
    incoming_ = std::make_unique<catalogue_table>();
    incoming_->keep_history(table_.history());
    changes_->clear();
    created_.clear();
    taken_ = 0;
    served_.applied(0); // revisions may be used again
    watch_->stop();
    // Not here: this runs inside a handler of the consumer that would be destroyed.
    asio::post(nats_.context(),
               [this, alive = alive_]
               {
                   if (*alive)
                       watch_from_start();
               });
}

void kv_store::watch_changed(bool up, const stream_state& bucket)
{
    if (!up)
    {
        if (std::exchange(up_, false) && complete_)
            stale_since_ = deadline::clock::now();
        complete_ = false;
        ++watches_;
        return;
    }
    const bool another = !created_.empty() && (bucket.created != created_ || bucket.last_sequence < taken_);
    if (another)
    {
        read_anew("it is another one than before");
        return;
    }
    up_ = true;
    created_ = bucket.created;
    bucket_ = bucket;
    (incoming_ ? *incoming_ : table_).keep_history(messages_kept(bucket));
    resumed_ = taken_ > 0;
    at_end_ = bucket.messages == 0;
    look_if_complete();
    expect_the_end();
}

/// The last messages of a bucket may have been removed. After a message before them `pending` tells; when none is left to come, nothing does.
void kv_store::expect_the_end()
{
    if (!up_ || complete_)
        return;
    silence_.expires_after(longest_silence);
    silence_.async_wait(
        [this, alive = alive_, seen = taken_](boost::system::error_code cancelled)
        {
            if (cancelled || !*alive || !up_ || complete_)
                return;
            if (taken_ == seen)
                read_anew("nothing tells where the bucket ends");
            else
                expect_the_end();
        });
}

void kv_store::read_anew(std::string_view why)
{
    static limited_log rereads(log_level::warning, "reading the bucket anew");
    rereads.write({{"bucket", what_.bucket}, {"why", std::string(why)}});
    ++times_read_anew_;
    ++rereads_;
    why_reread_ = why;
    watch_again();
}

void kv_store::take(const std::vector<stored_message>& batch)
{
    for (const auto& m : batch)
    {
        apply(m);
        if (!complete_)
            look_if_complete();
        if (!up_)
            return; // it was not what it seemed, and is read anew
    }
    if (!incoming_)
        served_.applied(taken_);
}

void kv_store::apply(const stored_message& m)
{
    // Where nothing was to come, the next message is the next number, unless one was removed before it was delivered.
    if (complete_ && ((at_end_ && m.sequence != taken_ + 1) || m.headers.get(header_rollup) == "all"))
        compare_soon();
    taken_ = m.sequence;
    at_end_ = m.pending == 0;
    changes_->taken({m.sequence, m.timestamp});
    keep(m);
    counts_.taken(held());
}

/// Takes a message in as what it is: a record, a marker in the place of one, or nothing of ours.
void kv_store::keep(const stored_message& m)
{
    auto& to = incoming_ ? *incoming_ : table_;
    const record_tag tag{m.sequence, m.timestamp};
    const bool alone = m.headers.has(header_rollup);
    const auto id = asset_of(m.subject);
    if (!id)
    {
        static limited_log strangers(log_level::warning, "a key that is no asset id");
        strangers.write({{"bucket", what_.bucket}, {"subject", m.subject}});
        to.set_stranger(m.subject, tag, alone);
        return;
    }
    const bool marker = is_marker(m);
    const bool record = !marker && (!what_.valid || what_.valid(*id, m.data));
    if (!marker && !record)
    {
        static limited_log rubbish(log_level::warning, "a value that is no record of its asset");
        rubbish.write({{"bucket", what_.bucket}, {"id", id->text()}, {"revision", std::to_string(m.sequence)}});
    }
    if (record)
        to.set(*id, m.data, tag, alone);
    else
        to.mark_deleted(*id, tag, alone);
}

/// Looks whether everything that stood in the bucket when the watch was put in place has come.
void kv_store::look_if_complete()
{
    if (complete_ || (taken_ < bucket_.last_sequence && !at_end_))
        return;
    // What was removed while nobody watched leaves no trace but how much is left.
    if (resumed_ && !held().same_amount({taken_, bucket_.subjects, bucket_.messages}))
    {
        read_anew("messages were removed unseen");
        return;
    }
    if (incoming_)
        table_ = std::move(*std::exchange(incoming_, nullptr));
    complete_ = true;
    rereads_ = 0;
    served_.applied(taken_);
    opened_.applied(1);
    compare_in(pause_to_compare());
}

/// Nothing where it is no asset's: a key may have several tokens, or be no id.
std::optional<asset_id> kv_store::asset_of(std::string_view key_subject) const
{
    auto id = asset_id::from_token(subjects::token_at(key_subject, 2));
    if (id.has_error() || key_subject != subjects::kv_entry(what_.bucket, *id).str())
        return std::nullopt;
    return std::move(*id);
}

std::uint32_t kv_store::messages_kept(const stream_state& bucket)
{
    return bucket.history == 0 ? std::numeric_limits<std::uint32_t>::max() : bucket.history;
}

} // namespace marquee
