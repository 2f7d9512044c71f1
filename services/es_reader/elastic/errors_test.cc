#include "services/es_reader/elastic/errors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::es_reader {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

absl::Status Reply(int status, const std::string& body,
                   const std::string& content_type = "application/json") {
  http::Response response;
  response.status = status;
  response.content_type = content_type;
  response.buffer = body + std::string(64, '\0');
  response.body_bytes = body.size();
  return StatusFromReply("GET http://es:9200/i", response);
}

std::string Error(const char* type, const char* reason) {
  return absl::StrCat(R"({"error":{"root_cause":[],"type":")", type, R"(","reason":")", reason,
                      R"("},"status":0})");
}

TEST(StatusFromReplyTest, OnlyJsonIsAnAnswer) {
  EXPECT_OK(Reply(200, " {}"));
  EXPECT_THAT(Reply(200, "<html>hello</html>", "text/html"),
              StatusIs(StatusCode::kUnavailable,
                       "GET http://es:9200/i: HTTP 200: an HTML page, not JSON: is this "
                       "Elasticsearch, or a proxy?"));
  EXPECT_THAT(Reply(200, ""), StatusIs(StatusCode::kUnavailable, HasSubstr("no text")));
  EXPECT_THAT(Reply(302, ""), StatusIs(StatusCode::kUnavailable));
}

TEST(StatusFromReplyTest, EachFailureHasItsCode) {
  struct Case {
    int status;
    std::string body;
    StatusCode code;
    const char* message;
  };
  const Case cases[] = {
      {401, Error("security_exception", "unable to authenticate user [u]"),
       StatusCode::kUnauthenticated, "check the user and password"},
      {401, "Unauthorized", StatusCode::kUnauthenticated, "HTTP 401: Unauthorized"},
      {403, Error("security_exception", "action [indices:monitor/stats] is unauthorized"),
       StatusCode::kPermissionDenied, "action [indices:monitor/stats]"},
      {404, Error("index_not_found_exception", "no such index [i]"), StatusCode::kNotFound,
       "index_not_found_exception: no such index [i]"},
      {400, Error("index_closed_exception", "closed"), StatusCode::kFailedPrecondition, "closed"},
      {400, Error("illegal_argument_exception", "no data nodes with criteria [x] found for shard"),
       StatusCode::kAborted, "no data nodes"},
      {503, Error("no_shard_available_action_exception", "x"), StatusCode::kAborted, ""},
      {503, Error("search_phase_execution_exception", "all shards failed"),
       StatusCode::kUnavailable, "all shards failed"},
      {429, Error("es_rejected_execution_exception", "queue"), StatusCode::kResourceExhausted, ""},
      {503, Error("circuit_breaking_exception", "x"), StatusCode::kResourceExhausted, ""},
      {500, Error("x", "Time exceeded"), StatusCode::kDeadlineExceeded, ""},
      {504, "<html>", StatusCode::kDeadlineExceeded, "an HTML page"},
      {406, R"({"error":"Content-Type header is not supported","status":406})",
       StatusCode::kInvalidArgument, "Content-Type header"},
      {400, Error("query_shard_exception", "_seq_no cannot be queried"),
       StatusCode::kInvalidArgument, "cannot be queried"},
      {502, "Bad Gateway\n\x01", StatusCode::kUnavailable, "Bad Gateway"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Reply(c.status, c.body), StatusIs(c.code, HasSubstr(c.message))) << c.body;
  }
}

TEST(StatusFromReplyTest, TheInnerCauseDecides) {
  const char* body =
      R"({"error":{"root_cause":[{"type":"index_closed_exception","reason":"closed"}],)"
      R"("type":"search_phase_execution_exception","reason":"all shards failed"},"status":400})";
  EXPECT_THAT(Reply(400, body), StatusIs(StatusCode::kFailedPrecondition,
                                         HasSubstr("index_closed_exception: closed")));
  const char* failed_shards =
      R"({"error":{"root_cause":[],"type":"search_phase_execution_exception","reason":"",)"
      R"("failed_shards":[{"shard":0,"reason":{"type":"circuit_breaking_exception",)"
      R"("reason":"big"}}]}})";
  EXPECT_THAT(Reply(503, failed_shards), StatusIs(StatusCode::kResourceExhausted));
}

TEST(StatusFromReplyTest, LongReasonsAreCutAndStayOnOneLine) {
  const absl::Status status = Reply(400, Error("x", (std::string(500, 'y') + "\\n").c_str()));
  EXPECT_LT(status.message().size(), 300u);
  const absl::Status lines = Reply(500, "a\nb\r\n\x1b[31m");
  EXPECT_EQ(std::string(lines.message()).find_first_of("\n\r\x1b"), std::string::npos);
}

TEST(RetryAfterTest, IsKeptWithTheStatus) {
  http::Response response;
  response.status = 429;
  response.retry_after = absl::Seconds(7);
  EXPECT_EQ(RetryAfter(StatusFromReply("x", response)), absl::Seconds(7));
  response.retry_after.reset();
  EXPECT_EQ(RetryAfter(StatusFromReply("x", response)), std::nullopt);
  EXPECT_EQ(RetryAfter(absl::OkStatus()), std::nullopt);
}

}  // namespace
}  // namespace nightjar::es_reader
