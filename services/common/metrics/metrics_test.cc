#include "services/common/metrics/metrics.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"

namespace nightjar::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MetricsTest, RendersEveryKindAsText) {
  Metrics metrics;
  metrics.counter("nightjar_test_pages_total", "Pages.", {{"index", "a\"b"}}).Increment(3);
  metrics.gauge("nightjar_test_lag_operations", "Lag.").Set(7);
  metrics.histogram("nightjar_test_post_seconds", "Posts.", {0.1, 1}).Observe(0.5);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("# HELP nightjar_test_pages_total Pages.\n"
                              "# TYPE nightjar_test_pages_total counter\n"
                              "nightjar_test_pages_total{index=\"a\\\"b\"} 3"));
  EXPECT_THAT(text, HasSubstr("nightjar_test_lag_operations 7"));
  EXPECT_THAT(text, HasSubstr("nightjar_test_post_seconds_bucket{le=\"0.1\"} 0"));
  EXPECT_THAT(text, HasSubstr("nightjar_test_post_seconds_bucket{le=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("nightjar_test_post_seconds_count 1"));
}

TEST(MetricsTest, SameNameAndLabelsIsTheSameMetric) {
  Metrics metrics;
  prometheus::Counter& a = metrics.counter("nightjar_test_total", "Test.", {{"sink", "a"}});
  prometheus::Counter& b = metrics.counter("nightjar_test_total", "Test.", {{"sink", "b"}});
  EXPECT_EQ(&a, &metrics.counter("nightjar_test_total", "Test.", {{"sink", "a"}}));
  EXPECT_NE(&a, &b);
}

TEST(MetricsTest, RemovedGaugeIsNotRenderedAndItsNeighboursAre) {
  Metrics metrics;
  prometheus::Gauge& gone = metrics.gauge("nightjar_test_lag", "Lag.", {{"index", "gone"}});
  metrics.gauge("nightjar_test_lag", "Lag.", {{"index", "stays"}}).Set(1);
  metrics.Remove("nightjar_test_lag", gone);
  EXPECT_THAT(metrics.Render(), Not(HasSubstr("gone")));
  EXPECT_THAT(metrics.Render(), HasSubstr("nightjar_test_lag{index=\"stays\"} 1"));
}

}  // namespace
}  // namespace nightjar::metrics
