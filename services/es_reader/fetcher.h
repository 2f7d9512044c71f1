// One search and what its reply decodes to.
#ifndef SERVICES_ES_READER_FETCHER_H_
#define SERVICES_ES_READER_FETCHER_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/config/secret.h"
#include "services/es_reader/elastic/elastic_client.h"
#include "services/es_reader/page_builder.h"
#include "services/es_reader/schema/page_decoder.h"

namespace nightjar::es_reader {

// Why a fetch brought nothing, as far as it matters to what is done next.
struct FetchFailure {
  enum class Kind {
    kTooLarge,  // ask for fewer numbers
    kPushBack,  // the server is busy
    kMoved,     // statistics or the list of indices are out of date
    kOther,     // try again later
  };
  Kind kind = Kind::kOther;
  absl::Status status;
  std::optional<absl::Duration> retry_after;
};

// Owned by one worker thread; only SetAuthorization and Cancel may be called from others.
class Fetcher {
 public:
  Fetcher(NodePool& pool, const ElasticOptions& elastic, const DecoderOptions& decoder)
      : client_(pool, elastic), decoder_(decoder) {}

  // The page is whole, or nothing of it is used: the answer is then empty and `failure` says why.
  std::optional<Page> Fetch(const WindowQuery& query, const PageContext& context,
                            FetchFailure* failure);

  // Ends a search in progress and every later one.
  void Cancel() { client_.Cancel(); }

  // Who asks, from the next request on.
  void SetAuthorization(const config::Secret& value) { client_.SetAuthorization(value); }

 private:
  ElasticClient client_;
  PageDecoder decoder_;
  http::Response response_;
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_FETCHER_H_
