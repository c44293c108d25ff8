#include "edge/upstream/live_hub.hpp"

#include "schemas/base32_sha256.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{

std::shared_ptr<live_client> live_hub::add(live_filter filter, std::optional<live_place> after,
                                           std::shared_ptr<void> permit)
{
    auto client =
        std::make_shared<live_client>(shared_from_this(), std::move(filter), std::move(after), std::move(permit));
    if (clients_ == 1 && first_client_)
        first_client_();
    if (next_)
        start(*client);
    return client;
}

/// A place is known: the client joins, or has to catch up.
void live_hub::start(live_client& client)
{
    if (!client.after_)
    {
        client.state_ = live_client::state::joined;
        client.text_ += live_place_text(*next_);
        return client.wake();
    }
    if (join(client))
        return;
    client.state_ = live_client::state::catching_up;
    if (catch_up_)
        catch_up_(client.weak_from_this());
}

bool live_hub::join(live_client& client)
{
    if (!next_ || !covers(*client.after_))
        return false;
    client.state_ = live_client::state::joined;
    const auto number = first_after(client.after_->at);
    client.after_.reset();
    if (number < end_number())
        mark(client, number);
    client.beat_ = true; // moves the client's place
    client.wake();
    return true;
}

void live_hub::begin(live_place at)
{
    ring_.clear();
    first_ = flushed_;
    begin_ = at.at;
    next_ = std::move(at);
    for (auto* each : all_)
        if (each->state_ == live_client::state::waiting)
            start(*each);
}

void live_hub::take(const std::vector<live_view>& views, live_place next)
{
    for (const auto& view : views)
    {
        const auto place = live_place::parse(view.id);
        if (!place || place->at <= next_->at)
            continue;
        next_->at = place->at;
        const auto number = end_number();
        ring_.emplace_back(view, place->at);
        if (ring_.size() > settings_.views)
            drop_oldest();
        for (auto* each : everyone_)
            mark(*each, number);
        if (const auto found = by_asset_.find(view.asset); found != by_asset_.end())
            for (auto* each : found->second)
                mark(*each, number);
        if (const auto found = by_user_.find(view.user); found != by_user_.end())
            for (auto* each : found->second)
                if (each->filter_.takes(view.asset, view.user))
                    mark(*each, number);
    }
    if (next.at > next_->at)
        next_->at = next.at;
    next_->epoch = std::move(next.epoch);
}

void live_hub::forget(std::string_view user, std::uint64_t sequence)
{
    for (auto& each : ring_)
        if (each.at().sequence < sequence && each.user() == user)
            each.forget();
}

void live_hub::forget(const std::vector<live_hashed_erasure>& erased)
{
    std::unordered_map<std::string_view, std::uint64_t> sequences;
    std::uint64_t last = 0;
    for (const auto& [hash, sequence] : erased)
    {
        auto& of_user = sequences[hash];
        of_user = std::max(of_user, sequence);
        last = std::max(last, sequence);
    }
    for (auto& each : ring_)
    {
        if (each.at().sequence >= last)
            return;
        if (each.is_forgotten())
            continue;
        const auto hash = base32_sha256(each.user());
        if (const auto found = sequences.find(hash); found != sequences.end() && each.at().sequence < found->second)
            each.forget();
    }
}

void live_hub::drop_oldest()
{
    begin_ = ring_.front().at();
    ring_.pop_front();
    ++first_;
}

void live_hub::gap(live_place at)
{
    flush();
    const auto told = live_gap_text(at);
    for (auto* each : all_)
        if (each->state_ == live_client::state::joined)
        {
            each->append_views(); // they are about to leave the ring
            if (each->state_ != live_client::state::joined)
                continue;
            each->from_.reset();
            each->text_ += told;
            each->wake();
        }
    first_ = flushed_;
    begin(std::move(at));
}

void live_hub::flush()
{
    flushed_ = end_number();
    for (auto* each : std::exchange(dirty_, {}))
    {
        each->dirty_ = false;
        each->wake();
    }
}

void live_hub::beat(std::size_t one_of)
{
    for (auto left = (all_.size() + one_of - 1) / one_of; left > 0; --left)
    {
        all_.splice(all_.end(), all_, all_.begin());
        all_.back()->beat_ = true;
        all_.back()->wake();
    }
    beats_.push_back(flushed_);
    if (beats_.size() <= settings_.beats)
        return;
    while (first_ < beats_.front() && !ring_.empty())
        drop_oldest();
    beats_.pop_front();
}

void live_hub::end()
{
    ring_.clear();
    first_ = flushed_;
    next_.reset();
}

/// `client` wants the view of this number, which is the last one or an older one.
void live_hub::mark(live_client& client, std::uint64_t number)
{
    if (client.state_ != live_client::state::joined)
        return;
    if (!client.from_)
        client.from_ = number;
    else if (*client.from_ < first_)
    {
        counted_.slow.add();
        return client.end_as(live_slow_text());
    }
    if (!std::exchange(client.dirty_, true))
        dirty_.push_back(&client);
}

void live_hub::remove(live_client& client)
{
    if (client.dirty_)
        dirty_.erase(std::find(dirty_.begin(), dirty_.end(), &client));
    all_.erase(client.in_all_);
    if (client.indexed_.in == nullptr)
        everyone_.erase(client.indexed_.at);
    else
    {
        auto& found = client.indexed_.key->second;
        found.erase(client.indexed_.at);
        if (found.empty())
            client.indexed_.in->erase(client.indexed_.key);
    }
    counted_.clients.set(--clients_);
}

/// Whether all views after a place, and up to next(), are in the ring.
bool live_hub::covers(const live_place& after) const
{
    return may_be_same_epoch(after.epoch, next_->epoch) && begin_ <= after.at && after.at <= next_->at;
}

std::uint64_t live_hub::first_after(const live_position& at) const
{
    const auto found =
        std::upper_bound(ring_.begin(), ring_.end(), at,
                         [](const live_position& one, const live_event& other) { return one < other.at(); });
    return first_ + static_cast<std::uint64_t>(found - ring_.begin());
}

live_client::live_client(std::shared_ptr<live_hub> hub, live_filter filter, std::optional<live_place> after,
                         std::shared_ptr<void> permit)
    : hub_(std::move(hub)), filter_(std::move(filter)), after_(std::move(after)), permit_(std::move(permit))
{
    in_all_ = hub_->all_.insert(hub_->all_.end(), this);
    auto* list = &hub_->everyone_;
    if (filter_.user || filter_.asset)
    {
        indexed_.in = filter_.user ? &hub_->by_user_ : &hub_->by_asset_;
        indexed_.key = indexed_.in->try_emplace(filter_.user ? *filter_.user : *filter_.asset).first;
        list = &indexed_.key->second;
    }
    indexed_.at = list->insert(list->end(), this);
    hub_->counted_.clients.set(++hub_->clients_);
}

live_client::~live_client() { hub_->remove(*this); }

std::string live_client::next()
{
    if (state_ == state::joined && text_.empty())
        append_views();
    if (std::exchange(beat_, false) && text_.empty() && state_ != state::ended)
    {
        text_ = ":\n";
        if (state_ == state::joined && !from_)
            text_ += live_place_text(*hub_->next_);
        else
            text_ += '\n';
    }
    return std::exchange(text_, {});
}

/// Appends the views that it may have by now, up to about a piece.
void live_client::append_views()
{
    if (from_ && *from_ >= hub_->flushed_ && !dirty_)
        from_.reset();
    if (!from_ || *from_ >= hub_->flushed_)
        return;
    if (*from_ < hub_->first_)
    {
        hub_->counted_.slow.add();
        return end_as(live_slow_text());
    }
    auto number = *from_;
    for (; number < hub_->flushed_ && text_.size() < hub_->settings_.piece_bytes; ++number)
    {
        const auto& event = hub_->at(number);
        if (event.is_forgotten() || !filter_.takes(event.asset(), event.user()))
            continue;
        event.append_to(text_, filter_.names_users);
        hub_->counted_.events.add();
    }
    from_ = number;
    if (number == hub_->flushed_ && !dirty_)
        from_.reset();
}

void live_client::caught_up(const std::vector<live_view>& views, live_place next, bool gap)
{
    if (gap)
        text_ += live_gap_text(next);
    for (const auto& view : views)
    {
        const auto place = live_place::parse(view.id);
        if (!place || place->at <= after_->at || !filter_.takes(view.asset, view.user))
            continue;
        if (text_.size() >= hub_->settings_.piece_bytes) // the rest is asked for once it has taken these
            return wake();
        live_event(view, place->at).append_to(text_, filter_.names_users);
        hub_->counted_.events.add();
        after_ = *place;
    }
    after_ = std::move(next);
    if (!text_.empty())
        wake();
}

void live_client::drain()
{
    if (state_ != state::ended)
        end_as(live_retry_text(hub_->drained_++));
}

/// `text` is the last that it gets.
void live_client::end_as(const std::string& text)
{
    state_ = state::ended;
    from_.reset();
    text_ += text;
    wake();
}

void live_client::wake()
{
    if (changed_)
        changed_();
}

} // namespace marquee
