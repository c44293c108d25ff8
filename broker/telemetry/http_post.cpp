#include "broker/telemetry/http_post.hpp"

#include <algorithm>
#include <stdexcept>

#include <curl/curl.h>

namespace marquee::detail
{

namespace
{

std::size_t keep_answer(char* data, std::size_t, std::size_t size, void* into)
{
    auto& body = *static_cast<std::string*>(into);
    if (body.size() + size > http_post::max_answer_bytes)
        return 0; // ends the transfer
    body.append(data, size);
    return size;
}

} // namespace

struct http_post::handles
{
    handles() : multi(curl_multi_init()), easy(curl_easy_init())
    {
        if (multi == nullptr || easy == nullptr)
            throw std::runtime_error("libcurl cannot be used");
    }
    ~handles()
    {
        curl_easy_cleanup(easy);
        curl_multi_cleanup(multi);
    }
    handles(const handles&) = delete;
    handles& operator=(const handles&) = delete;

    CURLM* multi;
    CURL* easy;
};

http_post::http_post(std::string url) : url_(std::move(url))
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    handles_ = std::make_unique<handles>();
}

http_post::~http_post() = default;

void http_post::wake() noexcept { curl_multi_wakeup(handles_->multi); }

// NOLINTBEGIN(cppcoreguidelines-pro-type-vararg): libcurl's interface
post_outcome http_post::send(const std::string& body, const export_headers& headers, std::chrono::milliseconds limit,
                             const std::atomic<bool>& give_up)
{
    post_outcome outcome;
    auto* const easy = handles_->easy;
    auto* const multi = handles_->multi;
    curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/json");
    list = curl_slist_append(list, "Expect:");
    for (const auto& [name, value] : headers)
        list = curl_slist_append(list, (value.empty() ? name + ';' : name + ": " + value).c_str());
    char why[CURL_ERROR_SIZE] = {}; // NOLINT(cppcoreguidelines-avoid-c-arrays): libcurl's interface
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // a name that is being looked up is not waited for
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "marquee/" MARQUEE_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &outcome.body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);

    curl_multi_add_handle(multi, easy);
    int running = 1;
    CURLcode ended = CURLE_ABORTED_BY_CALLBACK;
    while (running > 0 && !give_up)
    {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            break;
        if (running > 0)
            curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi, &left))
        if (message->msg == CURLMSG_DONE)
            ended = message->data.result;
    if (ended == CURLE_OK)
    {
        long status = 0;
        curl_off_t wait = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
        outcome.status = static_cast<int>(status);
        if (wait > 0)
            outcome.retry_after = std::chrono::seconds(std::min<curl_off_t>(wait, 3600));
    }
    else
    {
        outcome.senseless = ended == CURLE_WRITE_ERROR || ended == CURLE_UNSUPPORTED_PROTOCOL ||
                            ended == CURLE_WEIRD_SERVER_REPLY || ended == CURLE_BAD_CONTENT_ENCODING;
        outcome.failure = why[0] != '\0' ? why : curl_easy_strerror(ended);
    }
    curl_multi_remove_handle(multi, easy);
    curl_easy_reset(easy); // it refers to what ends here
    curl_slist_free_all(list);
    return outcome;
}
// NOLINTEND(cppcoreguidelines-pro-type-vararg)

} // namespace marquee::detail
