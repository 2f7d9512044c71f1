#include "services/es_reader/fetcher.h"

namespace nightjar::es_reader {
namespace {

// What every index takes, unless its index.max_result_window was made very small.
constexpr int kOrdinarySize = 1000;

FetchFailure::Kind Classify(const absl::Status& status, int http_status, int size) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      // The index may have a smaller index.max_result_window than the server's default.
      return size > kOrdinarySize ? FetchFailure::Kind::kTooLarge : FetchFailure::Kind::kOther;
    case absl::StatusCode::kResourceExhausted:
      // A reply above the limit was a good one otherwise.
      return http_status / 100 == 2 ? FetchFailure::Kind::kTooLarge : FetchFailure::Kind::kPushBack;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
      return FetchFailure::Kind::kMoved;
    default:
      return FetchFailure::Kind::kOther;
  }
}

}  // namespace

std::optional<Page> Fetcher::Fetch(const WindowQuery& query, const PageContext& context,
                                   FetchFailure* failure) {
  response_.status = 0;
  absl::Status status = client_.Search(query, &response_);
  PageBuilder builder(context);
  if (status.ok()) status = decoder_.Decode(query, response_, builder);
  if (!status.ok()) {
    *failure = {Classify(status, response_.status, query.size), status, RetryAfter(status)};
    return std::nullopt;
  }
  Page page = builder.Finish();
  page.bytes = response_.body_bytes;
  page.took = response_.total_time;
  return page;
}

}  // namespace nightjar::es_reader
