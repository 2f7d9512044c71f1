// What durable state relies on, over the machine's file system and the fake alike.
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/checkpoint/checkpoint.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/checkpoint/file_system.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::checkpoint {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

struct Subject {
  const char* name;
  std::function<FileSystem&()> make;
};

class CheckpointContractTest : public testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    static int folders = 0;
    folder_ = absl::StrCat(testing::TempDir(), "/contract-", getpid(), "-", ++folders, "/a/b");
  }

  std::string Path(absl::string_view name) const { return absl::StrCat(folder_, "/", name); }

  void Write(absl::string_view name, absl::string_view content) {
    auto file = files_.OpenAppend(Path(name), /*truncate=*/true);
    ASSERT_OK(file);
    ASSERT_OK((*file)->Append(content));
  }

  std::string ReadFile(absl::string_view name) { return files_.Read(Path(name)).value_or(""); }

  absl::StatusOr<std::optional<std::string>> LoadAnew() {
    return Checkpoint(files_, folder_).Load();
  }

  FileSystem& files_ = GetParam().make();
  std::string folder_;
};

INSTANTIATE_TEST_SUITE_P(FileSystems, CheckpointContractTest,
                         testing::Values(Subject{"Local",
                                                 []() -> FileSystem& { return LocalFileSystem(); }},
                                         Subject{"Fake",
                                                 []() -> FileSystem& {
                                                   static FakeFileSystem files;
                                                   return files;
                                                 }}),
                         [](const auto& info) { return info.param.name; });

TEST_P(CheckpointContractTest, FilesAreWrittenRenamedListedAndRemoved) {
  ASSERT_OK(files_.MakeFolder(folder_));
  ASSERT_OK(files_.MakeFolder(folder_));  // twice is fine
  EXPECT_THAT(files_.List(folder_), IsOkAndHolds(ElementsAre()));
  Write("b", "one");
  {
    auto file = files_.OpenAppend(Path("b"), /*truncate=*/false);
    ASSERT_OK(file);
    ASSERT_OK((*file)->Append("two"));
    ASSERT_OK((*file)->Sync());
  }
  EXPECT_EQ(ReadFile("b"), "onetwo");
  Write("a", "other");
  EXPECT_THAT(files_.List(folder_), IsOkAndHolds(ElementsAre("a", "b")));
  ASSERT_OK(files_.Rename(Path("b"), Path("a")));
  EXPECT_EQ(ReadFile("a"), "onetwo");
  ASSERT_OK(files_.SyncFolder(folder_));
  EXPECT_THAT(files_.List(folder_), IsOkAndHolds(ElementsAre("a")));
  ASSERT_OK(files_.Remove(Path("a")));
  EXPECT_THAT(files_.List(folder_), IsOkAndHolds(ElementsAre()));
}

TEST_P(CheckpointContractTest, WhatIsMissingIsNotFoundAndNamed) {
  const auto not_found = StatusIs(absl::StatusCode::kNotFound, HasSubstr(folder_));
  EXPECT_THAT(files_.List(folder_), not_found);
  EXPECT_THAT(files_.OpenAppend(Path("x"), true), not_found);
  ASSERT_OK(files_.MakeFolder(folder_));
  EXPECT_THAT(files_.Read(Path("x")), not_found);
  EXPECT_THAT(files_.Rename(Path("x"), Path("y")), not_found);
  EXPECT_THAT(files_.Remove(Path("x")), not_found);
}

TEST_P(CheckpointContractTest, AFolderWithoutStateIsAFirstStart) {
  EXPECT_THAT(LoadAnew(), IsOkAndHolds(std::nullopt));
  ASSERT_OK(files_.MakeFolder(folder_));
  Write("state.json.tmp", "half of a first save");
  EXPECT_THAT(LoadAnew(), IsOkAndHolds(std::nullopt));
}

TEST_P(CheckpointContractTest, LoadsWhatWasSavedLast) {
  Checkpoint checkpoint(files_, folder_);
  for (const std::string& payload : {std::string(), std::string("{\"position\":1}"),
                                     std::string("a\nb\0c\n", 6), std::string(300000, 'x')}) {
    ASSERT_OK(checkpoint.Save(payload));
    EXPECT_THAT(LoadAnew(), IsOkAndHolds(Optional(payload)));
  }
}

TEST_P(CheckpointContractTest, TheFileHasAHeaderLineThatAPersonCanRead) {
  ASSERT_OK(Checkpoint(files_, folder_).Save("hello"));
  EXPECT_EQ(ReadFile("state.json"),
            "{\"format\":1,\"generation\":1,\"bytes\":5,\"crc32c\":\"882df7e5\"}\nhello");
}

TEST_P(CheckpointContractTest, KeepsTheGenerationBefore) {
  ASSERT_OK(Checkpoint(files_, folder_).Save("one"));
  ASSERT_OK(Checkpoint(files_, folder_).Save("two"));  // counts on from what is there
  EXPECT_THAT(ReadFile("state.json"), HasSubstr("\"generation\":2,"));
  EXPECT_THAT(ReadFile("state.previous.json"), HasSubstr("\"generation\":1,"));
  Checkpoint checkpoint(files_, folder_);
  EXPECT_THAT(checkpoint.Load(), IsOkAndHolds(Optional(std::string("two"))));
  EXPECT_FALSE(checkpoint.fell_back());
}

TEST_P(CheckpointContractTest, ADamagedNewestGenerationFallsBackAndIsNotKept) {
  Checkpoint checkpoint(files_, folder_);
  ASSERT_OK(checkpoint.Save("one"));
  ASSERT_OK(checkpoint.Save("two"));
  Write("state.json", "{\"format\":1,");
  EXPECT_THAT(checkpoint.Load(), IsOkAndHolds(Optional(std::string("one"))));
  EXPECT_TRUE(checkpoint.fell_back());
  ASSERT_OK(checkpoint.Save("three"));
  // The damaged file must not have pushed out the whole one.
  EXPECT_THAT(ReadFile("state.previous.json"), HasSubstr("one"));
  EXPECT_THAT(checkpoint.Load(), IsOkAndHolds(Optional(std::string("three"))));
  EXPECT_FALSE(checkpoint.fell_back());
}

TEST_P(CheckpointContractTest, DamageOfAllGenerationsIsNeverAFirstStart) {
  ASSERT_OK(files_.MakeFolder(folder_));
  Write("state.json", "");
  Checkpoint checkpoint(files_, folder_);
  const auto loaded = checkpoint.Load();
  EXPECT_THAT(loaded, StatusIs(absl::StatusCode::kDataLoss,
                               AllOf(HasSubstr(folder_), HasSubstr("empty"), HasSubstr("backup"))));
  EXPECT_EQ(ExitStatus(loaded.status()), kExitConfig);
  EXPECT_THAT(checkpoint.Save("x"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(ReadFile("state.json"), "");  // left for whoever looks into it
}

// One seeded change to the bytes of `file`; `other` is the generation beside it.
std::string Mutate(std::string file, const std::string& other, std::mt19937& random) {
  const size_t at = random() % file.size();
  switch (random() % 8) {
    case 0:
      return "";
    case 1:
      return file.substr(0, at);
    case 2:
      return std::string(file.size(), '\0');
    case 3:
      return file.replace(at, file.size() - at, file.size() - at, '\0');
    case 4:
      return absl::StrCat(file, other);
    case 5:  // a header that belongs to the other payload
      return absl::StrCat(other.substr(0, other.find('\n')), file.substr(file.find('\n')));
    case 6:
      std::swap(file[at], file[random() % file.size()]);
      return file;
    default:
      file[at] = static_cast<char>(file[at] ^ 1 << random() % 8);
      return file;
  }
}

TEST_P(CheckpointContractTest, EverySeededMutationIsDetected) {
  ASSERT_OK(Checkpoint(files_, folder_).Save("{\"position\":123,\"epoch\":\"a\"}"));
  ASSERT_OK(Checkpoint(files_, folder_).Save("{\"position\":456,\"epoch\":\"a\"}"));
  const std::string newer = ReadFile("state.json"), older = ReadFile("state.previous.json");
  auto payload = [](const std::string& file) { return file.substr(file.find('\n') + 1); };
  int lost = 0, fallen_back = 0;
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    std::string current = newer, previous = older;
    const auto which = random() % 4;
    if (which != 0) current = Mutate(current, older, random);
    if (which >= 2) previous = Mutate(previous, newer, random);
    if (random() % 2 == 0) std::swap(current, previous);
    Write("state.json", current);
    Write("state.previous.json", previous);

    Checkpoint checkpoint(files_, folder_);
    const auto loaded = checkpoint.Load();
    const bool newer_whole = current == newer || previous == newer;
    const bool older_whole = current == older || previous == older;
    if (!newer_whole && !older_whole) {
      ASSERT_THAT(loaded, StatusIs(absl::StatusCode::kDataLoss));
      ++lost;
      continue;
    }
    ASSERT_THAT(loaded, IsOkAndHolds(Optional(payload(newer_whole ? newer : older))));
    ASSERT_EQ(checkpoint.fell_back(), !newer_whole || !older_whole);
    fallen_back += !newer_whole;
    ASSERT_OK(checkpoint.Save("next"));
    ASSERT_THAT(LoadAnew(), IsOkAndHolds(Optional(std::string("next"))));
  }
  EXPECT_GT(lost, 100);
  EXPECT_GT(fallen_back, 80);
}

}  // namespace
}  // namespace nightjar::checkpoint
