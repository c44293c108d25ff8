#include "broker/jetstream/settings_watch.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log.hpp"
#include "broker/base/wait.hpp"
#include "broker/jetstream/streams.hpp"

#include <boost/asio/steady_timer.hpp>

namespace marquee
{
namespace
{

constexpr auto answer_patience = std::chrono::seconds(5);
constexpr std::string_view task = "checking a stream's settings";

struct watch_state
{
    watch_state(connection& on, settings_watch::settings what, settings_watch::refusal_handler handler)
        : nats(on), wanted(std::move(what)), on_refusal(std::move(handler)), pause(on.context())
    {
    }

    connection& nats;
    settings_watch::settings wanted;
    settings_watch::refusal_handler on_refusal;
    asio::steady_timer pause;
    bool stopped = false;
    std::uint64_t looks = 0;
    std::string refused;  ///< as reported to the handler
    std::string accepted; ///< as logged
};

void report(watch_state& self, const settings_judgement& judged)
{
    ++self.looks;
    const auto& name = self.wanted.stream.name;
    if (auto accepted = text_of(judged.accepted); std::exchange(self.accepted, accepted) != accepted)
    {
        if (accepted.empty())
            log(log_level::info, "stream has its usual settings again", {{"stream", name}});
        else
            log(log_level::warning, "stream is used with its own settings",
                {{"stream", name}, {"differences", accepted}});
    }
    const auto refused = refusal_text(name, judged);
    if (std::exchange(self.refused, refused) == refused)
        return;
    if (refused.empty())
        log(log_level::info, "the stream can be used again", {{"stream", name}});
    else
        log(log_level::error, "out of service", {{"why", refused}});
    self.on_refusal(refused);
}

asio::awaitable<void> look(const std::shared_ptr<watch_state>& self)
{
    const auto judged =
        co_await look_at_settings(self->nats.requests(), self->wanted.stream, deadline::in(answer_patience));
    if (judged.has_value() && !self->stopped)
        report(*self, *judged);
}

asio::awaitable<void> run(std::shared_ptr<watch_state> self)
{
    while (!self->stopped)
    {
        try
        {
            co_await look(self);
        }
        catch (const std::exception&)
        {
            log_exception(task, std::current_exception());
        }
        if (self->stopped)
            co_return;
        self->pause.expires_after(self->wanted.period);
        co_await wait(self->pause);
    }
}

/// The handle: the state outlives it while a check runs.
class watch_handle final : public settings_watch
{
public:
    explicit watch_handle(std::shared_ptr<watch_state> state) : state_(std::move(state)) {}
    ~watch_handle() override { stop_watching(); }
    [[nodiscard]] std::uint64_t looks() const noexcept override { return state_->looks; }
    void stop() override { stop_watching(); }

private:
    void stop_watching()
    {
        state_->stopped = true;
        state_->pause.cancel();
    }
    std::shared_ptr<watch_state> state_;
};

} // namespace

std::unique_ptr<settings_watch> settings_watch::start(connection& nats, settings what, refusal_handler on_refusal)
{
    auto state = std::make_shared<watch_state>(nats, std::move(what), std::move(on_refusal));
    co_spawn_logged(task, nats.context().get_executor(), run(state));
    return std::make_unique<watch_handle>(std::move(state));
}

} // namespace marquee
