// A whole system with a listener on every subject, and ids in the forms in which they reach it.
#pragma once

#include "tests/support/marquee_system.hpp"
#include "tests/support/unbundle.hpp"
#include "tests/support/wiretap.hpp"
#include "tests/unit/schemas/id_tables.hpp"

#include <boost/test/unit_test.hpp>

#include <regex>
#include <string>
#include <vector>

namespace marquee::test
{

/// Every byte percent-encoded.
inline std::string percent(std::string_view bytes)
{
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const unsigned char c : bytes)
        ((out += '%') += hex[c >> 4]) += hex[c & 15];
    return out;
}

/// A JSON string that holds these bytes as they are, control characters and quotes escaped.
inline std::string json_string(std::string_view bytes)
{
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out = "\"";
    for (const unsigned char c : bytes)
    {
        if (c < 0x20 || c == '"' || c == '\\')
            ((out += "\\u00") += hex[c >> 4]) += hex[c & 15];
        else
            out += static_cast<char>(c);
    }
    return out + '"';
}

/// True for the subjects that a system at work may use: names of its own, and ids only as tokens in
/// canonical form. Written without the product's codec.
inline bool is_allowed_subject(const std::string& subject)
{
    static const std::string id = "(?:[A-Za-z0-9_-]|=(?:[89A-F][0-9A-F]|2[0-9A-CE-F]|3[A-F]|40|5[B-E]|60|7[B-E]))+";
    static const std::string state = "(?:EVENTS|KV_metadata|KV_cdnurl)";
    static const std::regex shape(
        "(?:metadata|cdnurl)\\.(?:(?:get|put|delete)\\." + id +
            "|list|gets)|metadata\\.search|reporting\\.(?:(?:asset|user|series|history)\\." + id + "|views\\." + id +
            "\\." + id + "|top|series|assets|live)|events(?:\\.admin)?|\\$KV\\.(?:metadata|cdnurl)\\." + id +
            "|\\$SRV\\.(?:PING|INFO|STATS)(?:\\.[a-z]+(?:\\.[A-Za-z0-9]+)?)?|\\$JS\\.API\\.STREAM\\."
            "(?:INFO|CREATE|MSG\\.GET)\\." +
            state + "|\\$JS\\.API\\.CONSUMER\\.CREATE\\." + state +
            "\\.[a-z]+-[A-Za-z0-9]{22}-[0-9]+|\\$JS\\.EVENT\\.ADVISORY\\..*|\\$JS\\.FC\\." + state +
            "\\..*|_INBOX\\.[A-Za-z0-9.]+",
        std::regex::optimize);
    return std::regex_match(subject, shape);
}

class tapped_system
{
public:
    /// The wiretap listens before anything of `with.start` runs.
    explicit tapped_system(const marquee_system::settings& with = {})
        : marquee_(broker_only(with)), tap_(marquee_.broker().url())
    {
        for (const auto& name : with.start)
            marquee_.start(name);
    }

    marquee_system& marquee() { return marquee_; }
    wiretap& tap() { return tap_; }

    /// Returns once the wiretap has seen everything that the edge and the services have sent
    /// because of earlier calls: a request through each of them, and its answer, have passed.
    void fence()
    {
        const auto id = "fence-" + std::to_string(++fences_);
        for (const auto& [path, subject] :
             {std::pair("/content/asset/", "metadata.get."), std::pair("/url/asset/", "cdnurl.get."),
              std::pair("/events/asset/", "reporting.asset.")})
        {
            BOOST_TEST_REQUIRE(marquee_.call_as_admin({"GET", path + id}).status == 404);
            const auto asked = tap_.wait_for([s = subject + id](const message& msg) { return msg.subject == s; });
            BOOST_TEST_REQUIRE(asked.has_value());
            BOOST_TEST_REQUIRE(
                tap_.wait_for([&](const message& msg) { return msg.subject == asked->reply; }).has_value());
        }
    }

    /// The messages since number `from` that are about assets, users or events, other than fences
    /// and what the test itself sent; with the fence that makes sure of them. Not those by which an
    /// edge finds out which instances there are.
    [[nodiscard]] std::vector<message> about_ids_since(std::size_t from)
    {
        fence();
        auto all = tap_.seen(from);
        std::erase_if(all,
                      [](const message& msg)
                      {
                          return msg.subject.starts_with("_INBOX") || msg.subject.starts_with("$JS.") ||
                                 msg.subject.starts_with("$SRV.INFO.") ||
                                 msg.subject.find("fence-") != std::string::npos ||
                                 msg.reply.starts_with(wiretap::reply_prefix);
                      });
        return all;
    }

    /// What holds after any test: every subject was an allowed one, no log line was forged, and a
    /// play works.
    void check_aftermath()
    {
        fence();
        for (const auto& msg : unbundled(tap_.seen()))
        {
            const bool own =
                msg.reply.starts_with(wiretap::reply_prefix) || msg.subject.starts_with(wiretap::reply_prefix);
            if (!own && !is_allowed_subject(msg.subject))
                BOOST_ERROR("subject " << printable(msg.subject));
        }
        BOOST_TEST(tap_.lost() == 0U);
        for (const auto* name : {"metadata", "cdnurl", "reporting", "edge"})
            check_log(name);
        BOOST_TEST(marquee_.call({"POST", "/play/asset/456/user/aftermath"}).status == 200);
    }

private:
    static marquee_system::settings broker_only(marquee_system::settings with)
    {
        with.start.clear();
        return with;
    }

    void check_log(const std::string& name)
    {
        static const std::regex line(
            "20\\d\\d-\\d\\d-\\d\\dT[0-9:.]+Z (?:debug|info|warning|error) marquee-[a-z]+: [^\\x00-\\x1f\\x7f]*");
        const auto output = marquee_.at(name).output();
        for (std::size_t from = 0, end = 0; (end = output.find('\n', from)) != std::string::npos; from = end + 1)
        {
            const auto one = output.substr(from, end - from);
            if (!std::regex_match(one, line))
                BOOST_ERROR(name << " logged " << printable(one));
        }
    }

    marquee_system marquee_;
    wiretap tap_;
    int fences_ = 0;
};

} // namespace marquee::test
