#include "services/common/analytics_api/events_reply.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

absl::StatusOr<EventsReply> Parse(const std::string& body, uint64_t sent,
                                  const std::string& content_type = "application/json") {
  const std::string padded = body + std::string(64, '\0');
  return ParseEventsReply(content_type, absl::string_view(padded).substr(0, body.size()), sent);
}

void ExpectNoAnswer(const std::string& body, uint64_t sent, const std::string& words) {
  EXPECT_THAT(Parse(body, sent).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(words)))
      << body;
}

TEST(EventsReply, ReadsCountsReasonsAndLines) {
  auto reply = Parse(R"({"received":4,"accepted":1,"rejected":{"Bad Time":2,"x":0},
                         "rejectedLines":[{"line":3,"reason":"Bad Time"}],"new":[1]})",
                     4);
  ASSERT_OK(reply);
  EXPECT_EQ(reply->received, 4u);
  EXPECT_EQ(reply->accepted, 1u);
  EXPECT_THAT(reply->rejected, ElementsAre(Pair("bad_time", 2)));
  ASSERT_EQ(reply->rejected_lines.size(), 1u);
  EXPECT_EQ(reply->rejected_lines[0].line, 3u);
  EXPECT_EQ(reply->rejected_lines[0].reason, "bad_time");
}

TEST(EventsReply, RejectedMayBeMissingOrNull) {
  EXPECT_OK(Parse(R"({"received":1,"accepted":1})", 1));
  EXPECT_OK(Parse(R"({"received":1,"accepted":1,"rejected":null})", 1));
}

TEST(EventsReply, CountsThatCannotBeTrueAreNoAnswer) {
  ExpectNoAnswer(R"({"received":2,"accepted":2})", 3, "sent 3 events, it says received 2");
  ExpectNoAnswer(R"({"received":3,"accepted":2,"rejected":{"a":2}})", 3, "accepted and rejected 4");
  ExpectNoAnswer(R"({"received":3,"accepted":18446744073709551615,"rejected":{"a":4}})", 3,
                 "received 3 events");
  ExpectNoAnswer(R"({"received":3,"accepted":0,"rejected":{"a":18446744073709551615}})", 3,
                 "`rejected`");
}

TEST(EventsReply, WrongTypesAreNoAnswer) {
  ExpectNoAnswer("", 1, "not a JSON object");
  ExpectNoAnswer("[]", 1, "not a JSON object");
  ExpectNoAnswer("ok", 1, "not a JSON object");
  ExpectNoAnswer(R"({"accepted":1})", 1, "`received`");
  ExpectNoAnswer(R"({"received":"1","accepted":1})", 1, "`received`");
  ExpectNoAnswer(R"({"received":1.0,"accepted":1})", 1, "`received`");
  ExpectNoAnswer(R"({"received":1,"accepted":-1})", 1, "`accepted`");
  ExpectNoAnswer(R"({"received":1,"accepted":1,"rejected":[]})", 1, "`rejected`");
  EXPECT_THAT(Parse("<html></html>", 1, "text/html").status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("an HTML page")));
}

TEST(EventsReply, NonsenseInRejectedLinesIsLeftOut) {
  auto reply = Parse(R"({"received":2,"accepted":0,"rejected":{"a":1},
      "rejectedLines":[{"line":2,"reason":"a"},{"line":-1,"reason":"a"},{"line":0},7,
                       {"line":1,"reason":"a"}]})",
                     2);
  ASSERT_OK(reply);
  ASSERT_EQ(reply->rejected_lines.size(), 1u);
  EXPECT_EQ(reply->rejected_lines[0].line, 1u);
}

TEST(EventsReply, ReasonsAreBoundedInNumberAndForm) {
  std::string body = R"({"received":100,"accepted":0,"rejected":{"\u001b[31mevil":1)";
  for (int i = 0; i < 50; ++i) body += ",\"r" + std::to_string(i) + "\":1";
  auto reply = Parse(body + "}}", 100);
  ASSERT_OK(reply);
  EXPECT_EQ(reply->rejected.size(), 33u);
  EXPECT_EQ(reply->rejected["other"], 19u);
  EXPECT_EQ(reply->rejected["__31mevil"], 1u);
}

TEST(EventsReply, ErrorMessagesAreTakenFromTheEnginesJson) {
  const std::string padding(64, '\0');
  const std::string json = R"({"message":"key expired"})" + padding;
  EXPECT_EQ(ErrorMessage(absl::string_view(json).substr(0, json.size() - 64)), "key expired");
  const std::string html = "<html>" + padding;
  EXPECT_THAT(ErrorMessage(absl::string_view(html).substr(0, 6)), IsEmpty());
}

}  // namespace
}  // namespace nightjar::analytics_api
