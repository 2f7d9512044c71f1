#include "services/common/signals/name_shape.h"

#include "gtest/gtest.h"

namespace nightjar::signals {
namespace {

TEST(NameShapeTest, NamesThatPeopleChooseAreNotRandom) {
  for (const char* label :
       {"wikipedia", "elasticsearch", "stackoverflow", "newyorktimes", "123movies",
        "my-little-shop", "mercedes-benz", "hochschule-stuttgart"}) {
    EXPECT_LT(RandomBits(label), kRandomBitsMin) << label;
  }
}

TEST(NameShapeTest, LabelsOfRandomCharactersAreRandom) {
  for (const char* label : {"xjwqzkvbnhtr", "q7zk2xv9wj4h", "vqkxjzwpfgtbhq", "zxkqwvj8gq2n"}) {
    EXPECT_GE(RandomBits(label), kRandomBitsMin) << label;
  }
}

TEST(NameShapeTest, ShortPunycodeAndForeignLabelsAreNotJudged) {
  EXPECT_EQ(RandomBits("xjwqzk"), 0);
  EXPECT_EQ(RandomBits("xn--xjwqzkvbnhtr"), 0);
  EXPECT_EQ(RandomBits("xjwqz_kvbnhtr"), 0);
  EXPECT_EQ(RandomBits(""), 0);
}

}  // namespace
}  // namespace nightjar::signals
