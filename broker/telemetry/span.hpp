// Spans: what a request did, from when to when, as part of a trace.
#pragma once

#include "schemas/trace_context.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace marquee
{

/// The numbers are those of OTLP.
enum class span_kind : std::uint8_t
{
    internal = 1,
    server = 2,
    client = 3,
    producer = 4,
    consumer = 5,
};

/// A span as it is exported. A value.
struct span_record
{
    using attribute = std::pair<std::string_view, std::variant<std::int64_t, std::string>>; ///< the name is a literal
    using clock = std::chrono::system_clock;

    static constexpr std::size_t max_links = 128;       ///< more are left out, and counted
    static constexpr std::size_t max_value_bytes = 256; ///< of an attribute; more is cut off

    std::string name; ///< of few different values: routes and endpoints, never ids
    span_kind kind = span_kind::internal;
    trace_context context;                     ///< its own
    std::array<std::uint8_t, 8> parent_span{}; ///< all zero: a root
    clock::time_point began;
    clock::time_point ended;
    std::vector<attribute> attributes;
    std::vector<trace_context> links;
    std::uint32_t links_left_out = 0; ///< beyond max_links
    bool failed = false;              ///< status ERROR
};

/// Takes spans that have ended. ended() is thread-safe, and never blocks.
class span_sink
{
public:
    virtual ~span_sink() = default;
    virtual void ended(std::unique_ptr<span_record> one) noexcept = 0;

    /// Spans that were given to nobody. Thread-safe.
    [[nodiscard]] virtual std::uint64_t dropped() const noexcept = 0;

    /// Spans that were given to the collector. Thread-safe.
    [[nodiscard]] virtual std::uint64_t exported() const noexcept = 0;
};

/// The sink of this process; null: spans are recorded nowhere, and cost nothing. Thread-safe.
[[nodiscard]] span_sink* process_sink() noexcept;

/// Sets it. A sink that is replaced must outlive the calls of other threads.
void set_process_sink(span_sink* to) noexcept;

/// A span while it runs. One that is not recorded (the default) ignores everything. Used on one
/// thread at a time.
class span
{
public:
    span() = default;

    /// A child of `parent`. It is recorded where that is sampled; without a sink it only has a
    /// context of its own. Null: nothing.
    [[nodiscard]] static span child(const trace_context* parent, std::string_view name, span_kind kind);

    /// The first span of this process: it has the context `own`, and `parent` (zeros: none) comes
    /// from outside.
    [[nodiscard]] static span begin(trace_context own, const std::array<std::uint8_t, 8>& parent, std::string_view name,
                                    span_kind kind);

    /// Ends it, if end() has not.
    ~span() { end(); }
    span(span&&) = default;
    span& operator=(span&& other) noexcept
    {
        end();
        record_ = std::move(other.record_);
        return *this;
    }

    /// What children have as their parent; null where there is no sampled trace. Valid until the
    /// span ends.
    [[nodiscard]] const trace_context* context() const noexcept { return record_ ? &record_->context : nullptr; }

    [[nodiscard]] explicit operator bool() const noexcept { return record_ != nullptr; }

    void rename(std::string_view name);
    /// Sets an attribute in place of an earlier one of that name, which is a literal.
    void set(std::string_view name, std::string_view value);
    void set(std::string_view name, std::int64_t value);
    void link(const trace_context& to);
    /// Whether there is room for another link.
    [[nodiscard]] bool takes_links() const noexcept
    {
        return record_ && record_->links.size() < span_record::max_links;
    }
    void started_at(span_record::clock::time_point when);

    /// Sets `error.type`, and the status where `error` says that it is the fault of who answers.
    void fail(std::string_view type, bool error = true);

    /// Gives it to the sink. What is called later does nothing.
    void end() noexcept;

    /// Forgets it: nothing is recorded.
    void discard() noexcept { record_.reset(); }

private:
    [[nodiscard]] span_record::attribute& attribute(std::string_view name);

    std::unique_ptr<span_record> record_;
};

/// Sets what OpenTelemetry's messaging conventions ask for. `type`: send, process. A destination
/// with `*` is a template.
void describe_message(span& of, std::string_view operation, std::string_view type, std::string_view destination);

/// A subject without its ids: `metadata.get.123` is `metadata.get.*`. Only the first two tokens say
/// what is asked for.
[[nodiscard]] std::string subject_template(std::string_view subject);

} // namespace marquee
