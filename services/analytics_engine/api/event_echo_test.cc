#include "services/analytics_engine/api/event_echo.h"

#include "gtest/gtest.h"
#include "services/analytics_engine/api/event_decoder.h"

namespace nightjar::analytics_engine {
namespace {

std::string Echo(std::string line) {
  const size_t size = line.size();
  line.append(kPaddingBytes, ' ');
  return EchoEvent({line.data(), size});
}

TEST(EventEcho, IsTheLineByteForByte) {
  const std::string line =
      R"({ "query":"a", "status": null,"labels":[1,{"x":2}],"srcID":"s" ,"duration":1.50})";
  EXPECT_EQ(Echo(line), line);
  EXPECT_EQ(Echo("{}"), "{}");
}

TEST(EventEcho, LeavesOutWhatAClientCouldNotDecode) {
  EXPECT_EQ(Echo(R"({"query":"a\"\u00e9","status":"NOERROR","srcID":7,"other":[1,"b"],"url":{}})"),
            "{\"query\":\"a\\\"\xc3\xa9\",\"other\":[1,\"b\"]}");
  EXPECT_EQ(Echo(R"({"action":1})"), "{}");
}

}  // namespace
}  // namespace nightjar::analytics_engine
