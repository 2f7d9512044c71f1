// RETURN_IF_ERROR and ASSIGN_OR_RETURN: the two ways an absl::Status travels up.
// Debian's Abseil has no status_macros.h; these keep its names.
#ifndef SERVICES_COMMON_STATUS_STATUS_MACROS_H_
#define SERVICES_COMMON_STATUS_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RETURN_IF_ERROR(expr)                                               \
  do {                                                                      \
    if (absl::Status nj_status = (expr); !nj_status.ok()) return nj_status; \
  } while (false)

#define NIGHTJAR_CONCAT_INNER(a, b) a##b
#define NIGHTJAR_CONCAT(a, b) NIGHTJAR_CONCAT_INNER(a, b)

#define ASSIGN_OR_RETURN(lhs, expr) \
  NIGHTJAR_ASSIGN_OR_RETURN(NIGHTJAR_CONCAT(nj_statusor_, __LINE__), lhs, expr)
#define NIGHTJAR_ASSIGN_OR_RETURN(tmp, lhs, expr) \
  auto tmp = (expr);                              \
  if (!tmp.ok()) return std::move(tmp).status();  \
  lhs = *std::move(tmp)

#endif  // SERVICES_COMMON_STATUS_STATUS_MACROS_H_
