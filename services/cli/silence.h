// Why no telemetry of some type comes, in words.
#ifndef SERVICES_CLI_SILENCE_H_
#define SERVICES_CLI_SILENCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/admin/v1/stage.pb.h"

namespace nightjar::cli {

// A type whose newest record is older than this is silent.
inline constexpr absl::Duration kSilentAfter = absl::Minutes(5);

// What es-reader says about events of `type` explains why none has come for kSilentAfter, or why
// none of them reached the engine. Empty: nothing to explain.
std::string ReasonForSilence(const absl::StatusOr<admin::v1::StageStatus>& reader,
                             absl::string_view type, absl::Time now);

// The type's entry, or null.
const admin::v1::TypeActivity* FindActivity(const admin::v1::StageStatus& status,
                                            absl::string_view type);

// Events of `type` that ended with `outcome`; an empty type means all.
uint64_t CountOf(const admin::v1::StageStatus& status, telemetry::v1::Outcome outcome,
                 absl::string_view type);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_SILENCE_H_
