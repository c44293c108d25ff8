// Messages that any publisher of a stream can store: every header that JetStream itself uses, and
// malformed ones.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <string>
#include <utility>
#include <vector>

namespace marquee::test
{

/// Publishes over a plain socket, for client libraries do not send these headers. Blocking.
class raw_publisher
{
public:
    explicit raw_publisher(int port)
    {
        namespace ip = boost::asio::ip;
        socket_.connect({ip::address_v4::loopback(), static_cast<unsigned short>(port)});
        send("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n");
    }

    /// `headers` is the whole section, empty line included; empty: none.
    void publish(const std::string& subject, const std::string& reply, const std::string& headers,
                 const std::string& payload)
    {
        const auto size = std::to_string(headers.size() + payload.size());
        const auto to = subject + ' ' + (reply.empty() ? "" : reply + ' ');
        if (headers.empty())
            send("PUB " + to + size + "\r\n" + payload + "\r\n");
        else
            send("HPUB " + to + std::to_string(headers.size()) + ' ' + size + "\r\n" + headers + payload + "\r\n");
    }

    /// Returns when the server has taken everything published before.
    void flush()
    {
        send("PING\r\n");
        std::string text;
        while (text.find("PONG\r\n") == std::string::npos)
        {
            const auto size = boost::asio::read_until(socket_, boost::asio::dynamic_buffer(in_), "\r\n");
            text = in_.substr(0, size);
            in_.erase(0, size);
            if (text.starts_with("PING"))
                send("PONG\r\n");
        }
    }

private:
    void send(const std::string& text) { boost::asio::write(socket_, boost::asio::buffer(text)); }

    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_{io_};
    std::string in_;
};

struct odd_headers
{
    std::string name;
    std::string section; ///< as on the wire
    std::string reply;   ///< of the message
    bool may_be_refused = false;
};

/// Headers and reply subjects name subjects below this: a consumer that obeys a stored header would
/// publish there.
inline const std::string victims = "victim.>";

/// Some servers refuse some of them, by their version and by the settings of the stream.
inline std::vector<odd_headers> every_odd_header()
{
    const std::vector<std::pair<std::string, std::string>> named = {
        {"Status", "ok"},
        {"Status", "100"},
        {"Status", "404"},
        {"Status", "408"},
        {"Status", "409"},
        {"Status", "503"},
        {"Description", "Consumer Deleted"},
        {"Nats-Consumer-Stalled", "victim.stalled"},
        {"Nats-Consumer-Stalled", "$JS.FC.EVENTS.victim.1"},
        {"Nats-Last-Consumer", "999999"},
        {"Nats-Last-Stream", "1"},
        {"Nats-Last-Sequence", "1"},
        {"Nats-Num-Pending", "0"},
        {"Nats-UpTo-Sequence", "1"},
        {"Nats-Pending-Messages", "7"},
        {"Nats-Pending-Bytes", "7"},
        {"Nats-Stream", "EVENTS"},
        {"Nats-Sequence", "1"},
        {"Nats-Subject", "victim.subject"},
        {"Nats-Time-Stamp", "2001-01-01T00:00:00Z"},
        {"Nats-Marker-Reason", "MaxAge"},
        {"Nats-Msg-Size", "0"},
        {"Nats-TTL", "never"},
        {"Nats-Rollup", "sub"},
        {"Nats-Stream-Source", "EVENTS 1"},
        {"Nats-Response-Type", "victim"},
        {"Nats-Service-Error", "no"},
        {"Nats-Service-Error-Code", "500"},
        {"KV-Operation", "PUT"},
        {"KV-Operation", "del"},
        {"KV-Operation", "nonsense"},
        {"Marquee-Counts-To", "victim.counts"},
    };
    std::vector<odd_headers> all;
    for (const auto& [name, value] : named)
    {
        // What a stream may forbid, and what newer servers forbid to publishers.
        const bool rule = name == "Nats-TTL" || name == "Nats-Rollup" || name == "Nats-Stream-Source";
        all.push_back({name + ": " + value, "NATS/1.0\r\n" + name + ": " + value + "\r\n\r\n", {}, rule});
    }
    const std::string stalled =
        "Nats-Consumer-Stalled: victim.stalled\r\nNats-Last-Consumer: 0\r\nNats-Last-Stream: 0\r\n\r\n";
    for (const auto* line :
         {"100", "100 Idle Heartbeat", "100 FlowControl Request", "404 No Messages", "408 Request Timeout",
          "409 Consumer Deleted", "409 Leadership Change", "503", "503 No Responders", "999", "0", "nonsense"})
    {
        const std::string start = std::string("NATS/1.0 ") + line + "\r\n";
        all.push_back({"inline " + std::string(line), start + "\r\n", {}});
        all.push_back({"inline " + std::string(line) + " with the headers of a heartbeat and a reply subject",
                       start + stalled, "victim.reply"});
    }
    all.push_back({"a reply subject", "", "victim.reply"});
    all.push_back({"a reply subject of flow control", "", "$JS.FC.EVENTS.victim.1"});
    all.push_back({"a reply subject like a stored message's", "", "$JS.ACK.EVENTS.victim.1.1.1.1.1", true});
    all.push_back({"a header twice", "NATS/1.0\r\nStatus: 100\r\nStatus: 503\r\n\r\n", {}});
    all.push_back({"a header without a value", "NATS/1.0\r\nStatus:\r\n\r\n", {}});
    all.push_back({"a line without a colon", "NATS/1.0\r\nnonsense\r\n\r\n", {}});
    all.push_back({"a header section of its first line only", "NATS/1.0\r\n\r\n", {}});
    return all;
}

} // namespace marquee::test
