#include "broker/base/co_spawn_logged.hpp"

#include "broker/base/log_quota.hpp"

namespace marquee
{

void log_exception(std::string_view task, const std::exception_ptr& thrown) noexcept
{
    std::string what = "not a standard exception";
    try
    {
        std::rethrow_exception(thrown);
    }
    catch (const std::exception& e)
    {
        what = e.what();
    }
    catch (...) // NOLINT(bugprone-empty-catch): `what` says so
    {
    }
    static limited_log exceptions(log_level::error, "a task threw an exception");
    exceptions.write({{"task", std::string(task)}, {"what", std::move(what)}});
}

} // namespace marquee
