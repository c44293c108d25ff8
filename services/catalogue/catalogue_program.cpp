#include "services/catalogue/catalogue_program.hpp"

#include "broker/base/log.hpp"
#include "broker/micro/program_identity.hpp"
#include "broker/program/log_options.hpp"
#include "broker/program/options.hpp"
#include "broker/program/program.hpp"
#include "broker/program/trace_options.hpp"
#include "schemas/subjects.hpp"
#include "services/catalogue/kv_store.hpp"

namespace marquee
{
namespace
{

/// Of the records in the bucket: higher where an older program cannot read them.
constexpr std::string_view record_version = "1";

constexpr auto open_patience = std::chrono::seconds(60); ///< for a million records from a cold disk

class running_catalogue : public component
{
public:
    running_catalogue(connection& nats, const kv_store::settings& bucket, std::chrono::milliseconds check_settings)
        : store_(nats, bucket), watched_{kv_store::stream_of(bucket), check_settings}
    {
    }

    asio::awaitable<result<void>> start(connection& nats, const catalogue_program& what)
    {
        const auto opened = co_await store_.open(deadline::in(open_patience));
        if (opened.has_error())
            co_return opened.error();
        service_config config;
        config.name = what.service;
        config.version = MARQUEE_VERSION;
        config.description = what.summary;
        config.bundles = true;
        config.metadata = {{std::string(names::metadata_bucket), what.service},
                           {std::string(names::metadata_data_version), std::string(record_version)}};
        identify_program(config, nats);
        auto endpoints = what.endpoints(store_);
        for (auto& endpoint : endpoints)
            endpoint.data = [this] { return statistics(); };
        auto started = service::start(nats, std::move(config), std::move(endpoints));
        if (started.has_error())
            co_return started.error();
        service_ = std::move(*started);
        watch_ = settings_watch::start(nats, watched_, [this](const std::string& why) { on_refused_settings(why); });
        co_return result<void>();
    }

    asio::awaitable<void> stop(deadline until) override
    {
        watch_->stop();
        co_await service_->stop(until);
    }

private:
    void on_refused_settings(const std::string& why)
    {
        alarm_ = why;
        if (auto done = service_->set_serving(why.empty()); done.has_error()) // the service does it when the link is up
            log(log_level::warning, "cannot join the queue group", {{"error", done.error().detail}});
    }

    [[nodiscard]] boost::json::value statistics() const
    {
        auto data = store_.statistics();
        data.as_object()["serving"] = alarm_.empty();
        if (!alarm_.empty())
            data.as_object()["alarm"] = alarm_;
        add_span_counts(data.as_object());
        return data;
    }

    kv_store store_; // outlives the service, whose handlers use it
    settings_watch::settings watched_;
    std::string alarm_; ///< why it does not serve; empty: it serves
    std::unique_ptr<service> service_;
    std::unique_ptr<settings_watch> watch_;
};

} // namespace

asio::awaitable<result<std::unique_ptr<component>>> start_catalogue(connection& nats, catalogue_program what,
                                                                    bucket_options options)
{
    kv_store::settings bucket;
    bucket.bucket = what.service;
    bucket.replicas = options.replicas;
    bucket.allow_discard_old = options.allow_discard_old;
    if (options.demo)
        bucket.seeds = what.seeds;
    bucket.valid = what.valid;
    bucket.make_index = what.make_index;
    auto program = std::make_unique<running_catalogue>(nats, bucket, options.check_settings);
    const auto started = co_await program->start(nats, what);
    if (started.has_error())
        co_return started.error();
    co_return std::unique_ptr<component>(std::move(program));
}

namespace
{

result<bucket_options> read_bucket_options(const boost::program_options::variables_map& given)
{
    bucket_options bucket;
    bucket.replicas = given["replicas"].as<int>();
    bucket.demo = !given["no-demo"].as<bool>();
    bucket.allow_discard_old = given["allow-discard-old"].as<bool>();
    if (bucket.replicas < 1 || bucket.replicas > 5)
        return fail(errc::bad_request, "--replicas: 1, 3 or 5", "replicas");
    return bucket;
}

result<void> check_options(const boost::program_options::variables_map& given)
{
    if (auto bucket = read_bucket_options(given); bucket.has_error())
        return bucket.error();
    if (auto traces = check_trace_options(given); traces.has_error())
        return traces;
    return check_connection_options(given);
}

} // namespace

int run_catalogue(int argc, char** argv, catalogue_program what)
{
    block_sighup();
    const auto name = "marquee-" + what.service;
    boost::program_options::options_description options("Options");
    options.add_options() //
        ("replicas", boost::program_options::value<int>()->default_value(1)->value_name("N"),
         "copies of the bucket in a NATS cluster, when it is created: 1, 3 or 5")                                   //
        ("no-demo", boost::program_options::bool_switch(), "leave a new bucket empty, without the two demo assets") //
        ("allow-discard-old", boost::program_options::bool_switch(),
         "accept a bucket that drops its oldest records when it is full");
    add_connection_options(options);
    add_reply_options(options);
    add_access_log_options(options);
    add_trace_options(options);
    const auto read = read_settings(argc, argv, {name, what.summary, std::move(options), check_options});
    if (const auto* code = std::get_if<int>(&read))
        return *code;
    const auto& settings = std::get<program_settings>(read);
    auto connect = read_connection_options(settings.values()).value();
    connect.name = name;
    const auto bucket = read_bucket_options(settings.values()).value();
    const auto traces = start_export(settings.values(), name, connect.instance);
    if (traces.has_error())
        return report_unusable(traces.error());
    return run_program(
        connect, std::chrono::seconds(10),
        [&what, bucket](connection& nats, const fatal_handler&) { return start_catalogue(nats, what, bucket); },
        &settings);
}

} // namespace marquee
