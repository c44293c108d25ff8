// A whole system for a test: a broker, the services and edges as processes, on free ports and in a
// temporary folder.
#pragma once

#include "tests/support/http_client.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/process.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marquee::test
{

/// Processes are known by name: `metadata`, `cdnurl`, `reporting`, `edge`; more instances as
/// `edge-2`, `reporting-2`. All end with this object.
class marquee_system
{
public:
    using arguments = std::vector<std::string>;

    struct settings
    {
        std::string broker = {}; ///< more configuration of the nats-server
        std::string server =
            {}; ///< the URLs of a broker that runs already, comma-separated: then the system has none of its own
        std::vector<std::string> start = {"metadata", "cdnurl", "reporting", "edge"};
        std::map<std::string, arguments> extra = {}; ///< more arguments, by name; used at every start
    };

    /// Starts the broker and what `settings.start` names, and waits until each serves (reporting:
    /// until it has caught up). Throws std::runtime_error with the output of what did not start.
    explicit marquee_system(settings with);
    marquee_system() : marquee_system(settings{}) {}
    ~marquee_system();
    marquee_system(const marquee_system&) = delete;
    marquee_system& operator=(const marquee_system&) = delete;

    nats_server& broker() { return broker_.value(); }
    [[nodiscard]] const std::string& server() const noexcept { return server_; }
    process& at(const std::string& name) { return *processes_.at(name); }
    [[nodiscard]] int port(const std::string& edge = "edge") const { return ports_.at(edge); }
    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    [[nodiscard]] std::filesystem::path database(const std::string& reporting = "reporting") const;
    [[nodiscard]] const std::string& admin_token() const noexcept { return admin_token_; }
    [[nodiscard]] std::pair<std::string, std::string> authorization() const
    {
        return {"Authorization", "Bearer " + admin_token_};
    }

    /// Starts a process, or starts it again (an edge on the same port), and waits until it serves.
    process& start(const std::string& name);

    /// As start, without waiting for it to serve.
    process& launch(const std::string& name);

    /// Ends a process; its exit code, or 128 + the signal. Throws when it has not ended after 30 s.
    int stop(const std::string& name);
    void kill(const std::string& name);

    /// A call to an edge on a connection of its own.
    [[nodiscard]] http_answer call(const http_call& what, const std::string& edge = "edge") const;
    [[nodiscard]] http_answer call_as_admin(http_call what, const std::string& edge = "edge") const;

    /// Repeats a call every 20 ms until its status is `wanted`, and returns that answer, or the
    /// last after `limit`. For what recovers by itself; no answer at all counts as status 0.
    [[nodiscard]] http_answer call_until(int wanted, const http_call& what,
                                         std::chrono::milliseconds limit = std::chrono::seconds(20),
                                         const std::string& edge = "edge") const;

private:
    int end(const std::string& name, int signal);
    void wait_until_serving(const std::string& name);

    std::optional<nats_server> broker_;
    std::string server_;
    std::filesystem::path folder_;
    std::map<std::string, arguments> extra_;
    std::string admin_token_;
    std::map<std::string, int> ports_;
    std::map<std::string, std::unique_ptr<process>> processes_;
};

/// Path of one of our programs, e.g. program("marquee-edge").
[[nodiscard]] std::string program(const std::string& name);

} // namespace marquee::test
