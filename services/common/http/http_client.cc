#include "services/common/http/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/common/http/header_list.h"
#include "services/common/http/pinned_certificate.h"
#include "services/common/http/url.h"
#include "services/common/status/check.h"
#include "services/common/status/status_macros.h"

namespace nightjar::http {
namespace {

constexpr long kStallSecondsMax = 30;          // without a byte in either direction
constexpr long kReceiveBufferBytes = 1 << 20;  // 16 KiB would cost a callback per 16 KiB
constexpr long kKeepAliveIdleSeconds = 30;
constexpr long kPollMillisecondsMax = 1000;
constexpr size_t kPaddingBytes = 64;  // behind the body, see Response
constexpr absl::Duration kTimeoutMax = absl::Hours(24);

// libcurl reads 0 as "no limit".
long Milliseconds(absl::Duration duration) {
  const absl::Duration least = absl::Milliseconds(1);
  return static_cast<long>(
      absl::ToInt64Milliseconds(std::max(least, std::min(duration, kTimeoutMax))));
}

void InitLibrary() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(code == CURLE_OK);
}

absl::Status BuildHeaders(const Endpoint& endpoint, const Request& request, HeaderList* headers) {
  bool has_type = false;
  for (const auto& [name, value] : request.headers) {
    RETURN_IF_ERROR(headers->Add(name, value));
    has_type |= absl::EqualsIgnoreCase(name, "Content-Type");
  }
  if (!endpoint.authorization.empty()) {
    RETURN_IF_ERROR(headers->Add("Authorization", endpoint.authorization.reveal()));
  }
  headers->Remove("Expect");  // a body over 1 MiB would wait up to 1 s for "100 Continue"
  if (!has_type) headers->Remove("Content-Type");  // not "x-www-form-urlencoded"
  return absl::OkStatus();
}

}  // namespace

// What libcurl holds, and the state of the Send in progress.
struct HttpClient::Handle {
  Handle() {
    InitLibrary();
    multi = curl_multi_init();
    easy = curl_easy_init();
    CHECK(multi != nullptr && easy != nullptr);
  }
  ~Handle() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }

  template <typename Value>
  void Set(CURLoption option, Value value) {
    CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
  }
  template <typename Value>
  Value Get(CURLINFO info) {
    Value value{};
    curl_easy_getinfo(easy, info, &value);
    return value;
  }

  void ApplyEndpoint(const Endpoint& endpoint);
  void ApplyTls(const Endpoint& endpoint);
  void ApplyRequest(const Request& request, const HeaderList& headers);
  std::optional<CURLcode> Perform(const std::atomic<bool>& cancelled);
  absl::Status Failure(CURLcode code, const Request& request, const Url& url);
  void ReadInfo();
  std::optional<absl::Duration> RetryAfter();

  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  static CURLcode OnSslContext(CURL* easy, void* context, void* self);

  CURLM* multi;
  CURL* easy;
  std::optional<PinnedCertificate> pinned;
  char error[CURL_ERROR_SIZE] = "";
  Response* response = nullptr;
  size_t response_bytes_max = 0;
  bool too_large = false;
  bool head_complete = false;
};

void HttpClient::Handle::ApplyEndpoint(const Endpoint& endpoint) {
  Set(CURLOPT_ERRORBUFFER, error);
  Set(CURLOPT_HEADERFUNCTION, &Handle::OnHeader);
  Set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  Set(CURLOPT_WRITEFUNCTION, &Handle::OnBody);
  Set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  Set(CURLOPT_PROTOCOLS_STR, "http,https");
  Set(CURLOPT_FOLLOWLOCATION, 0L);
  Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  Set(CURLOPT_NOSIGNAL, 1L);
  // A look-up of a name that hangs is left behind, or Cancel would wait for it.
  Set(CURLOPT_QUICK_EXIT, 1L);
  Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(endpoint.connect_timeout));
  Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  Set(CURLOPT_LOW_SPEED_TIME, kStallSecondsMax);
  // Refused while a transfer that found no host still holds its buffer, which then serves again.
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  Set(CURLOPT_TCP_KEEPALIVE, 1L);
  Set(CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  // Set even when empty: proxies of the environment would apply otherwise.
  Set(CURLOPT_PROXY, endpoint.proxy.c_str());
  Set(CURLOPT_NOPROXY, "");
  if (endpoint.accept_gzip) Set(CURLOPT_ACCEPT_ENCODING, "gzip");
  if (!endpoint.user_agent.empty()) Set(CURLOPT_USERAGENT, endpoint.user_agent.c_str());
  if (!endpoint.basic_user.empty()) {
    Set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    Set(CURLOPT_USERNAME, endpoint.basic_user.c_str());
    Set(CURLOPT_PASSWORD, endpoint.basic_password.reveal().c_str());
  }
}

void HttpClient::Handle::ApplyTls(const Endpoint& endpoint) {
  Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const bool verify_peer = !endpoint.insecure_skip_verify || pinned.has_value();
  Set(CURLOPT_SSL_VERIFYPEER, verify_peer ? 1L : 0L);
  Set(CURLOPT_SSL_VERIFYHOST, endpoint.insecure_skip_verify ? 0L : 2L);
  Set(CURLOPT_CA_CACHE_TIMEOUT, 0L);  // a renewed file counts at the next connection
  if (!endpoint.ca_file.empty()) Set(CURLOPT_CAINFO, endpoint.ca_file.c_str());
  if (!endpoint.client_certificate_file.empty()) {
    Set(CURLOPT_SSLCERT, endpoint.client_certificate_file.c_str());
    Set(CURLOPT_SSLKEY, endpoint.client_key_file.c_str());
  }
  if (pinned.has_value()) {
    pinned->ClearRefusal();
    Set(CURLOPT_SSL_CTX_FUNCTION, &Handle::OnSslContext);
    Set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(this));
  }
}

void HttpClient::Handle::ApplyRequest(const Request& request, const HeaderList& headers) {
  Set(CURLOPT_URL, request.url.c_str());
  Set(CURLOPT_HTTPHEADER, headers.get());
  Set(CURLOPT_TIMEOUT_MS, Milliseconds(request.timeout));
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    Set(CURLOPT_POST, 1L);
    // Not copied.
    Set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

// One line of the head or of a trailer. libcurl takes a head that ends early for a whole reply.
size_t HttpClient::Handle::OnHeader(char* data, size_t size, size_t count, void* self) {
  const absl::string_view line(data, size * count);
  bool& complete = static_cast<Handle*>(self)->head_complete;
  if (absl::StartsWith(line, "HTTP/")) complete = false;  // another head after "100 Continue"
  if (line == "\r\n" || line == "\n") complete = true;
  return line.size();
}

size_t HttpClient::Handle::OnBody(char* data, size_t size, size_t count, void* self) {
  auto& handle = *static_cast<Handle*>(self);
  Response& response = *handle.response;
  const size_t bytes = size * count;
  if (bytes > handle.response_bytes_max - response.body_bytes) {
    handle.too_large = true;
    return 0;  // ends the transfer
  }
  const size_t needed = response.body_bytes + bytes + kPaddingBytes;
  // The buffer's size is its high-water mark: a reused one is neither cleared nor filled again.
  if (response.buffer.size() < needed) {
    response.buffer.resize(std::max(
        needed, std::min(2 * response.buffer.size(), handle.response_bytes_max + kPaddingBytes)));
  }
  std::memcpy(&response.buffer[response.body_bytes], data, bytes);
  response.body_bytes += bytes;
  return bytes;
}

CURLcode HttpClient::Handle::OnSslContext(CURL*, void* context, void* self) {
  static_cast<Handle*>(self)->pinned->Install(static_cast<SSL_CTX*>(context));
  return CURLE_OK;
}

// The transfer's result; empty when it was cancelled.
std::optional<CURLcode> HttpClient::Handle::Perform(const std::atomic<bool>& cancelled) {
  CHECK(curl_multi_add_handle(multi, easy) == CURLM_OK);
  const absl::Cleanup remover = [this] { curl_multi_remove_handle(multi, easy); };
  while (true) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    int queued = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &queued)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    if (cancelled) return std::nullopt;
    // Cancel wakes it up, also when it comes between the line above and this one.
    curl_multi_poll(multi, nullptr, 0, kPollMillisecondsMax, nullptr);
  }
}

absl::Status HttpClient::Handle::Failure(CURLcode code, const Request& request, const Url& url) {
  const std::string detail =
      absl::StrReplaceAll(error[0] != '\0' ? error : curl_easy_strerror(code), {{"\n", " "}});
  const std::string connect = absl::StrCat("connect to ", url.Origin(), ": ");
  const std::string exchange = absl::StrCat(request.method, " ", url.Origin(), ": ");
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return absl::UnavailableError(absl::StrCat(connect, "unknown host (", detail, ")"));
    case CURLE_COULDNT_CONNECT: {
      const long os_error = Get<long>(CURLINFO_OS_ERRNO);
      return absl::UnavailableError(absl::StrCat(
          connect, os_error != 0 ? std::generic_category().message(os_error) : detail));
    }
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return absl::UnavailableError(absl::StrCat(
          connect,
          "TLS: ", pinned.has_value() && !pinned->refusal().empty() ? pinned->refusal() : detail));
    case CURLE_OPERATION_TIMEDOUT:
      // Before the first byte of the request there was no connection yet.
      if (Get<curl_off_t>(CURLINFO_PRETRANSFER_TIME_T) == 0) {
        return absl::UnavailableError(absl::StrCat(connect, detail));
      }
      return absl::DeadlineExceededError(absl::StrCat(exchange, detail));
    case CURLE_WRITE_ERROR:
      if (too_large) {
        return absl::ResourceExhaustedError(
            absl::StrCat(exchange, "the reply is larger than ", response_bytes_max, " bytes"));
      }
      [[fallthrough]];
    default:
      return absl::UnavailableError(absl::StrCat(exchange, detail));
  }
}

std::optional<absl::Duration> HttpClient::Handle::RetryAfter() {
  const auto value = [this](const char* name) -> const char* {
    curl_header* header = nullptr;
    const bool found =
        curl_easy_header(easy, name, 0, CURLH_HEADER, /*request=*/-1, &header) == CURLHE_OK;
    return found ? header->value : nullptr;
  };
  const char* text = value("Retry-After");
  if (text == nullptr) return std::nullopt;
  if (uint32_t seconds; absl::SimpleAtoi(text, &seconds)) return absl::Seconds(seconds);
  const time_t until = curl_getdate(text, nullptr);
  if (until < 0) return std::nullopt;
  const char* date = value("Date");
  const time_t now = date != nullptr ? curl_getdate(date, nullptr) : -1;
  // libcurl's own difference is to this machine's clock: second best.
  const int64_t seconds =
      now >= 0 ? until - now : static_cast<int64_t>(Get<curl_off_t>(CURLINFO_RETRY_AFTER));
  return absl::Seconds(std::max<int64_t>(seconds, 0));
}

void HttpClient::Handle::ReadInfo() {
  response->status = static_cast<int>(Get<long>(CURLINFO_RESPONSE_CODE));
  if (const char* type = Get<char*>(CURLINFO_CONTENT_TYPE); type != nullptr) {
    const absl::string_view text(type);
    response->content_type =
        absl::AsciiStrToLower(absl::StripAsciiWhitespace(text.substr(0, text.find(';'))));
  }
  response->retry_after = RetryAfter();
  response->total_time = absl::Microseconds(Get<curl_off_t>(CURLINFO_TOTAL_TIME_T));
  response->start_transfer_time =
      absl::Microseconds(Get<curl_off_t>(CURLINFO_STARTTRANSFER_TIME_T));
}

HttpClient::HttpClient(Endpoint endpoint)
    : endpoint_(std::move(endpoint)), handle_(std::make_unique<Handle>()) {}

HttpClient::~HttpClient() = default;

absl::Status HttpClient::Send(const Request& request, Response* response) {
  response->status = 0;
  response->content_type.clear();
  response->retry_after.reset();
  response->total_time = response->start_transfer_time = absl::ZeroDuration();
  response->body_bytes = 0;
  if (response->buffer.size() < kPaddingBytes) response->buffer.resize(kPaddingBytes);

  ASSIGN_OR_RETURN(const Url url, ParseUrl(request.url));
  HeaderList headers;
  RETURN_IF_ERROR(BuildHeaders(endpoint_, request, &headers));
  Handle& handle = *handle_;
  if (!endpoint_.ca_fingerprint_sha256.empty() && !handle.pinned.has_value()) {
    ASSIGN_OR_RETURN(handle.pinned, PinnedCertificate::FromHex(endpoint_.ca_fingerprint_sha256));
  }

  handle.response = response;
  handle.response_bytes_max = request.response_bytes_max;
  handle.too_large = handle.head_complete = false;
  handle.error[0] = '\0';
  curl_easy_reset(handle.easy);  // options only: the connection stays
  handle.ApplyEndpoint(endpoint_);
  handle.ApplyTls(endpoint_);
  handle.ApplyRequest(request, headers);
  const std::optional<CURLcode> code = cancelled_ ? std::nullopt : handle.Perform(cancelled_);
  if (!code.has_value()) {
    return absl::CancelledError(absl::StrCat(request.method, " ", url.Origin(), ": cancelled"));
  }
  if (*code != CURLE_OK) return handle.Failure(*code, request, url);
  if (!handle.head_complete) {
    return absl::UnavailableError(
        absl::StrCat(request.method, " ", url.Origin(), ": the reply ends within its head"));
  }
  handle.ReadInfo();
  return absl::OkStatus();
}

void HttpClient::Cancel() {
  cancelled_ = true;
  curl_multi_wakeup(handle_->multi);
}

}  // namespace nightjar::http
