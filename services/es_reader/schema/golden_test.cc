// Every kind of document that a real Packetbeat 7.17 wrote, against the events it must become.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"
#include "services/es_reader/schema/page_testing.h"

namespace nightjar::es_reader {
namespace {

constexpr char kFolder[] = "services/es_reader/schema/testdata/";

std::vector<std::string> Lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string OneLine(const telemetry::v1::Event& event) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(event, &text);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

// testdata/events.txt holds one line for each line of documents.ndjson. What the test found is left
// in the undeclared outputs: after a wanted change, read it and put it in the place of the old.
TEST(GoldenTest, RecordedDocumentsBecomeTheseEvents) {
  const std::vector<std::string> documents = Lines(absl::StrCat(kFolder, "documents.ndjson"));
  const std::vector<std::string> wanted = Lines(absl::StrCat(kFolder, "events.txt"));
  ASSERT_GE(documents.size(), 60);
  PageDecoder decoder(DecoderOptions{});
  CollectingSink sink;
  ASSERT_OK(decoder.Decode(TestQuery(), TestResponse(TestPageOf(documents)), sink));
  ASSERT_EQ(sink.events.size(), documents.size());

  const char* outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  std::ofstream found(absl::StrCat(outputs == nullptr ? "/tmp" : outputs, "/events.txt"));
  for (size_t i = 0; i < documents.size(); ++i) {
    EXPECT_EQ(sink.outcomes[i].reason, "") << sink.outcomes[i].detail << " in " << documents[i];
    const std::string event = OneLine(sink.events[i]);
    found << event << "\n";
    EXPECT_EQ(event, i < wanted.size() ? wanted[i] : "") << documents[i];
  }
  EXPECT_EQ(wanted.size(), documents.size());
}

}  // namespace
}  // namespace nightjar::es_reader
