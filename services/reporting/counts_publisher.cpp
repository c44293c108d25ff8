#include "services/reporting/counts_publisher.hpp"

#include "broker/base/fault_injection.hpp"
#include "schemas/subjects.hpp"

namespace marquee
{

void counts_publisher::begin(bool serving, std::chrono::nanoseconds newest) noexcept
{
    if (sent_ > 0)
        end_if_injected("ends_after_counts");
    serving_ = serving;
    newest_ = newest;
    counted_.clear();
}

bool counts_publisher::wants(const stored_message& m)
{
    if (!serving_ || instance_.empty() || m.headers.get(names::header_counts_from) != instance_)
        return false;
    if (m.pending > max_pending || newest_ - m.timestamp > max_age)
        return false;
    const std::string to(m.headers.get(names::header_counts_to));
    if (nats_.is_inbox(to))
        return true;
    ++refused_;
    return false;
}

void counts_publisher::counted(const stored_message& m, std::string lines)
{
    counted_.emplace_back(m.headers.get(names::header_counts_to), std::move(lines));
}

void counts_publisher::publish()
{
    if (!counted_.empty())
        end_if_injected("ends_before_counts");
    if (fault_injected("counts_lost"))
        counted_.clear();
    header_list headers;
    headers.set(names::header_instance, instance_);
    for (int times = fault_injected("counts_twice") ? 2 : 1; times > 0; --times)
        for (const auto& [to, lines] : counted_)
            ++(nats_.publish(to, lines, headers).has_value() ? sent_ : unsent_);
    counted_.clear();
}

} // namespace marquee
