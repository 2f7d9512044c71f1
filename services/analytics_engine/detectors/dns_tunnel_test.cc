#include "services/analytics_engine/detectors/dns_tunnel.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::analytics_engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kNow = 1'764'000'000;  // seconds

class DnsTunnelTest : public ::testing::Test {
 protected:
  std::vector<Finding> Ask(const std::string& name, int64_t seconds, const char* type = "A") {
    telemetry::v1::Event event;
    event.set_source_ip("10.0.0.1");
    event.set_document_id(absl::StrCat("doc-", ++documents_));
    event.mutable_dns()->set_query(name);
    event.mutable_dns()->set_query_type(type);
    const signals::Facts facts(event);
    std::vector<Finding> findings;
    tunnel_.Evaluate(facts, Source(*facts.source, ""), seconds, "index", &findings);
    return findings;
  }

  // Distinct, and like the words people use.
  std::string Label(size_t size) {
    constexpr const char* kSyllables[] = {"an", "er", "in", "on", "re", "st", "te", "al"};
    std::string label;
    for (uint32_t rest = ++labels_; label.size() < size; rest /= 8) label += kSyllables[rest % 8];
    return label.substr(0, size);
  }
  // Asks `count` new names of `size` bytes below `domain`, `step` seconds apart.
  std::vector<Finding> AskMany(const std::string& domain, int count, size_t size, int64_t* seconds,
                               int64_t step, const char* type = "A") {
    std::vector<Finding> all;
    for (int i = 0; i < count; ++i, *seconds += step) {
      for (Finding& finding : Ask(absl::StrCat(Label(size), ".", domain), *seconds, type)) {
        all.push_back(std::move(finding));
      }
    }
    return all;
  }

  std::string Metrics() const { return metrics_.Render(); }

 private:
  metrics::Metrics metrics_;
  Folding folding_{metrics_};
  DnsTunnel tunnel_{folding_, metrics_};
  int documents_ = 0;
  uint32_t labels_ = 0;
};

TEST_F(DnsTunnelTest, AThousandBytesOfNamesInAnHourAreATunnel) {
  int64_t now = kNow;
  EXPECT_THAT(AskMany("evil.com", 99, 10, &now, 10), IsEmpty());
  const auto found = AskMany("evil.com", 1, 10, &now, 10);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].threat, "multiple_long_hostnames");
  EXPECT_EQ(found[0].severity, 4);
  EXPECT_EQ(found[0].detection, "dns_tunnel");
  EXPECT_EQ(found[0].key, "evil.com");
  EXPECT_EQ(found[0].domain, "evil.com");
  EXPECT_EQ(found[0].evidence.value, 1000);
  EXPECT_EQ(found[0].evidence.threshold, 1000);
  EXPECT_THAT(found[0].evidence.measure, HasSubstr("100 names"));
  ASSERT_THAT(found[0].evidence.samples, SizeIs(5));
  EXPECT_EQ(found[0].evidence.samples.front().document_id, "doc-96");
  EXPECT_EQ(found[0].evidence.samples.back().document_id, "doc-100");
}

TEST_F(DnsTunnelTest, TheSameNamesAgainCarryNothing) {
  for (int i = 0; i < 5000; ++i) {
    EXPECT_THAT(Ask(absl::StrCat("some-long-name-of-a-server-", i % 20, ".evil.com"), kNow + i),
                IsEmpty());
  }
}

TEST_F(DnsTunnelTest, DotsAndCaseCarryNothing) {
  EXPECT_THAT(Ask("a.b.c.d.e.evil.com", kNow), IsEmpty());
  for (const char* name : {"A.b.c.d.e.evil.com", "a.B.c.d.e.EVIL.com.", "evil.com", "com"}) {
    for (int i = 0; i < 500; ++i) EXPECT_THAT(Ask(name, kNow), IsEmpty());
  }
}

TEST_F(DnsTunnelTest, OverMoreThanAnHourTheSameBytesAreNone) {
  int64_t now = kNow;
  EXPECT_THAT(AskMany("popular.com", 400, 10, &now, 60), IsEmpty());  // 600 bytes an hour
}

TEST_F(DnsTunnelTest, SixHundredBytesDoWhenTwoSignsAgree) {
  int64_t now = kNow;
  EXPECT_THAT(AskMany("one-sign.com", 30, 25, &now, 10), IsEmpty());
  const auto found = AskMany("two-signs.com", 24, 25, &now, 10, "TXT");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].evidence.value, 600);
  EXPECT_EQ(found[0].evidence.threshold, 600);
}

TEST_F(DnsTunnelTest, ASlowTunnelIsFoundWithinADay) {
  int64_t now = kNow;
  const auto found = AskMany("slow.com", 201, 25, &now, 300);  // 300 bytes an hour
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].evidence.threshold, 5000);
  EXPECT_THAT(found[0].evidence.measure, HasSubstr("within a day"));
}

TEST_F(DnsTunnelTest, AFullDayOfShortNamesUnderAPopularDomainIsNone) {
  int64_t now = kNow;
  EXPECT_THAT(AskMany("popular.com", 1000, 10, &now, 86), IsEmpty());
}

TEST_F(DnsTunnelTest, MuchDataIsCriticalAndRaisedAgainAtOnce) {
  int64_t now = kNow;
  const auto found = AskMany("evil.com", 1000, 50, &now, 1);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].severity, 4);
  EXPECT_EQ(found[1].severity, 5);
  EXPECT_GT(found[1].count, 100);
  EXPECT_GE(found[1].evidence.value, 40'000);
}

TEST_F(DnsTunnelTest, NamesWithoutADomainAreOneTunnel) {
  std::mt19937 random(7);
  std::vector<Finding> all;
  for (int i = 0; i < 40; ++i) {
    std::string name;
    for (int label = 0; label < 2; ++label) {
      if (label > 0) name += '.';
      for (int k = 0; k < 30; ++k) name += "0123456789abcdef"[random() % 16];
    }
    for (Finding& finding : Ask(name, kNow + i)) all.push_back(std::move(finding));
  }
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].key, "no-TLD");
  EXPECT_EQ(all[0].domain, "");
}

TEST_F(DnsTunnelTest, SuffixesOfOnesOwnAreDomainsLikeOthers) {
  int64_t now = kNow;
  for (const char* domain : {"files.corp", "files.site-2", "files.localdomain"}) {
    const auto found = AskMany(domain, 100, 10, &now, 1);
    ASSERT_THAT(found, SizeIs(1)) << domain;
    EXPECT_EQ(found[0].key, domain);
  }
}

TEST_F(DnsTunnelTest, ReverseLookUpsAndBlockListsOfMailAreNone) {
  int64_t now = kNow;
  EXPECT_THAT(AskMany("1.0.0.2.ip6.arpa", 200, 30, &now, 1), IsEmpty());
  EXPECT_THAT(AskMany("zen.spamhaus.org", 200, 30, &now, 1), IsEmpty());
  EXPECT_THAT(Metrics(), HasSubstr("{reason=\"exempt_domain\"} 200"));
}

// iodine puts raw bytes into names; sensors write them in four characters each.
TEST_F(DnsTunnelTest, AnEscapedByteIsOneByte) {
  for (int i = 0; i < 30; ++i) {
    const std::string name = absl::StrCat("\\200\\201\\202\\203\\204\\", 205 + i, ".evil.com");
    EXPECT_THAT(Ask(name, kNow + i), IsEmpty());
  }
}

TEST_F(DnsTunnelTest, ATunnelIsFoundAmongMoreDomainsThanAreRemembered) {
  std::vector<Finding> all;
  for (int i = 0; i < 400; ++i) {
    for (int k = 0; k < 5; ++k) {
      const std::string other = absl::StrCat("host.site", (i * 5 + k) % 200, ".com");
      EXPECT_THAT(Ask(other, kNow + i), IsEmpty());
    }
    for (auto& finding : Ask(absl::StrCat(Label(20), ".evil.com"), kNow + i)) {
      all.push_back(std::move(finding));
    }
  }
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].key, "evil.com");
  EXPECT_LE(all[0].evidence.value, 1200);
}

TEST_F(DnsTunnelTest, TimeThatJumpsBackADayStartsAnew) {
  int64_t now = kNow + 365 * 86'400;
  AskMany("evil.com", 50, 10, &now, 1);
  now = kNow;
  EXPECT_THAT(AskMany("evil.com", 100, 10, &now, 1), SizeIs(1));
}

}  // namespace
}  // namespace nightjar::analytics_engine
