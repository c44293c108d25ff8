#include "broker/program/nats_context.hpp"

#include "broker/base/small_file.hpp"
#include "broker/nats/jetstream_prefix.hpp"

#include <boost/json/parse.hpp>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

namespace marquee
{

namespace json = boost::json;
namespace fs = std::filesystem;

namespace
{

std::string environment(const std::string& name)
{
    const char* value = std::getenv(name.c_str()); // NOLINT(concurrency-mt-unsafe): read at start, one thread
    return value != nullptr ? value : "";
}

/// The folder that natscli keeps its contexts in; empty where there is none.
std::string nats_folder()
{
    if (const auto xdg = environment("XDG_CONFIG_HOME"); !xdg.empty())
        return xdg + "/nats";
    const auto home = environment("HOME");
    return home.empty() ? std::string() : home + "/.config/nats";
}

bool is_in_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// `$NAME` and `${NAME}` become the variables' values, as in natscli; one that is not set, nothing.
std::string with_variables(std::string_view text)
{
    std::string out;
    while (!text.empty())
    {
        if (text.front() != '$')
        {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        text.remove_prefix(1);
        const bool braced = text.starts_with('{') && text.find('}') != std::string_view::npos;
        std::size_t end = braced ? text.find('}') : 0;
        while (!braced && end < text.size() && is_in_name(text[end]))
            ++end;
        out += environment(std::string(braced ? text.substr(1, end - 1) : text.substr(0, end)));
        text.remove_prefix(braced ? end + 1 : end);
    }
    return out;
}

std::string as_path(std::string_view value)
{
    constexpr std::string_view scheme = "file://";
    if (value.starts_with(scheme))
        value.remove_prefix(scheme.size());
    auto path = with_variables(value);
    if (path.starts_with('~'))
        path.replace(0, 1, environment("HOME"));
    return path;
}

/// Newer versions of natscli keep credentials elsewhere, and name the place.
bool is_kept_elsewhere(std::string_view value)
{
    for (const std::string_view scheme : {"op:", "nsc:", "env:", "data:"})
        if (value.starts_with(scheme))
            return true;
    return false;
}

/// Reads the members of one context.
class context_reader
{
public:
    context_reader(nats_context& into, json::object members) : into_(into), members_(std::move(members)) {}

    result<void> read()
    {
        if (auto done = refuse_unsupported(); done.has_error())
            return done;
        auto& to = into_.settings;
        if (const auto list = text("url"); !list.empty())
        {
            into_.has_servers = true;
            to.servers = {list}; // split and checked with those of other origins
        }
        read_credentials();
        to.tls_cert_file = path("cert");
        to.tls_key_file = path("key");
        to.tls_ca_file = path("ca");
        to.tls_first = flag("tls_first");
        if (auto prefix = text("inbox_prefix"); !prefix.empty())
            to.inbox_prefix = std::move(prefix);
        to.jetstream_prefix = text("jetstream_api_prefix");
        if (const auto domain = text("jetstream_domain"); !domain.empty()) // natscli prefers it, too
            to.jetstream_prefix = jetstream_prefix_of(domain);
        return failed_.code == errc{} ? result<void>() : failed_;
    }

private:
    void read_credentials()
    {
        auto& to = into_.settings;
        to.token = secret("token");
        auto user = text("user");
        auto password = secret("password");
        auto creds = path("creds");
        auto nkey = path("nkey");
        auto jwt = secret("user_jwt");
        auto seed = secret("user_seed");
        if (!user.empty())
        {
            to.user = std::move(user);
            to.password = std::move(password);
        }
        else if (!creds.empty())
            to.creds_file = std::move(creds);
        else if (!nkey.empty())
            to.nkey_file = std::move(nkey);
        else if (!jwt.empty())
        {
            to.user_jwt = std::move(jwt);
            to.user_seed = std::move(seed);
        }
    }

    result<void> refuse_unsupported()
    {
        constexpr std::pair<const char*, const char*> unsupported[] = {
            {"nsc", "nsc is not run; name the user's credentials file as creds"},
            {"socks_proxy", "connections are made directly"},
            {"windows_cert_store", "there is none here; name files as cert, key and ca"}};
        for (const auto& [key, why] : unsupported)
            if (!text(key).empty())
                return failure(key, std::string("cannot be honoured: ") + why);
        return {};
    }

    std::string text(const char* key)
    {
        const auto* value = members_.if_contains(key);
        if (value == nullptr || value->is_null())
            return {};
        if (!value->is_string())
        {
            keep(failure(key, "is no text"));
            return {};
        }
        return std::string(value->get_string());
    }

    bool flag(const char* key)
    {
        const auto* value = members_.if_contains(key);
        if (value == nullptr || value->is_null())
            return false;
        if (!value->is_bool())
            keep(failure(key, "is neither true nor false"));
        return value->is_bool() && value->get_bool();
    }

    std::string path(const char* key)
    {
        const auto value = text(key);
        if (is_kept_elsewhere(value))
            keep(failure(key, "cannot be honoured: only a file can be named here"));
        return as_path(value);
    }

    /// The value itself, or `file://FILE` or `env://NAME` that has it.
    std::string secret(const char* key)
    {
        constexpr std::string_view of_environment = "env://";
        auto value = text(key);
        if (value.starts_with(of_environment))
        {
            auto found = environment(value.substr(of_environment.size()));
            if (found.empty())
                keep(failure(key, "names an environment variable that is not set"));
            return found;
        }
        if (value.starts_with("file://"))
        {
            auto found = read_small_file(as_path(value), secrecy::secret);
            if (found.has_error())
                keep(failure(key, found.error().detail));
            value = found.has_value() ? *found : std::string();
            value.erase(value.find_last_not_of("\r\n") + 1);
        }
        else if (is_kept_elsewhere(value))
            keep(failure(key, "cannot be honoured: only the value itself, file:// and env:// can stand here"));
        return value;
    }

    [[nodiscard]] error failure(const char* key, const std::string& why) const
    {
        return fail(errc::bad_request, into_.file + ": " + key + ' ' + why, "--context");
    }

    void keep(error why)
    {
        if (failed_.code == errc{})
            failed_ = std::move(why);
    }

    nats_context& into_;
    const json::object members_;
    error failed_; ///< the first failure
};

/// Where the context is; the name of one that cannot be has no file.
result<nats_context> find(const std::string& which)
{
    nats_context found;
    std::error_code ignored;
    const bool file =
        which.find('/') != std::string::npos || (which.ends_with(".json") && fs::is_regular_file(which, ignored));
    if (file)
    {
        found.name = fs::path(which).stem().string();
        found.file = which;
        return found;
    }
    if (which.empty() || which == "." || which == "..")
        return fail(errc::bad_request, "a context is a name or a file", "--context");
    const auto folder = nats_folder();
    if (folder.empty())
        return fail(errc::bad_request, "neither XDG_CONFIG_HOME nor HOME says where contexts are", "--context");
    found.name = which;
    found.file = folder + "/context/" + which + ".json";
    return found;
}

} // namespace

result<nats_context> read_nats_context(const std::string& which)
{
    auto found = find(which);
    if (found.has_error())
        return found;
    const auto text = read_small_file(found->file, secrecy::secret);
    if (text.has_error())
        return fail(errc::bad_request, "context " + which + ": " + text.error().detail, "--context");
    boost::system::error_code ec;
    auto parsed = json::parse(*text, ec);
    if (ec || !parsed.is_object())
        return fail(errc::bad_request, found->file + " is no JSON object", "--context");
    if (auto read = context_reader(*found, std::move(parsed.as_object())).read(); read.has_error())
        return read.error();
    return found;
}

std::string selected_nats_context()
{
    const auto folder = nats_folder();
    std::error_code ignored;
    if (folder.empty() || !fs::is_regular_file(folder + "/context.txt", ignored))
        return {};
    const auto read = read_small_file(folder + "/context.txt");
    auto name = read.has_value() ? *read : std::string();
    name.erase(0, name.find_first_not_of(" \t\r\n"));
    name.erase(name.find_last_not_of(" \t\r\n") + 1);
    return name;
}

} // namespace marquee
