// What the tests of the services share.
#pragma once

#include "broker/jetstream/stored_message.hpp"
#include "broker/micro/service.hpp"
#include "services/reporting/projection/projection.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace marquee::test
{

/// The stable name of a result's error, or "ok".
template <class T>
std::string code_of(const result<T>& r)
{
    return r.has_error() ? std::string(name_of(r.error().code)) : "ok";
}

inline std::string code_of(const service_result& r)
{
    return r.has_error() ? std::string(name_of(r.error().what.code)) : "ok";
}

inline asset_id asset(std::string_view text) { return asset_id::parse(text).value(); }
inline user_id user(std::string_view text) { return user_id::parse(text).value(); }

inline boost::json::value json(std::string_view text) { return boost::json::parse(text); }

/// A folder of its own, gone with the object.
class temporary_folder
{
public:
    temporary_folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "marquee-test-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~temporary_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

/// Asks the endpoint of that name as the framework would, on its own loop, and waits for the
/// answer.
inline service_result ask(const std::vector<endpoint_config>& endpoints, const std::string& name, std::string subject,
                          std::string payload = {}, header_list headers = {})
{
    for (const auto& endpoint : endpoints)
        if (endpoint.name == name)
        {
            service_result answer = service_error(fail(errc::timeout));
            const auto body = [&]() -> asio::awaitable<void>
            {
                service_request request{message{std::move(subject), "", std::move(payload), std::move(headers)},
                                        deadline::in(std::chrono::seconds(5))};
                if (endpoint.at_once)
                    if (auto known = endpoint.at_once(request))
                    {
                        answer = std::move(*known);
                        co_return;
                    }
                auto handling = endpoint.handler(std::move(request));
                answer = co_await std::move(handling);
            };
            run_coro(body);
            return answer;
        }
    BOOST_FAIL("no endpoint " << name);
    std::abort();
}

inline header_list header(std::string_view name, std::string_view value)
{
    header_list headers;
    headers.set(name, value);
    return headers;
}

using std::chrono::hours;
using std::chrono::nanoseconds;

/// Stream time zero of the tests.
inline constexpr nanoseconds day_one = hours(24) * 20000;

inline stored_message stored(std::uint64_t sequence, std::string payload, nanoseconds at = day_one)
{
    stored_message m;
    m.subject = "events";
    m.data = std::move(payload);
    m.sequence = sequence;
    m.timestamp = at;
    return m;
}

inline std::string event_json(const std::string& id, const std::string& asset, const std::string& user)
{
    return R"({"id":")" + id + R"(","asset":")" + asset + R"(","user":")" + user +
           R"(","time":"2026-01-31T09:30:00.123Z"})";
}

inline std::string dump_of(projection& p)
{
    std::ostringstream out;
    BOOST_REQUIRE(p.dump(out).has_value());
    return out.str();
}

} // namespace marquee::test
