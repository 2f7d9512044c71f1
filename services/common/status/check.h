// CHECK: our own invariants only. Bytes from outside never reach one.
#ifndef SERVICES_COMMON_STATUS_CHECK_H_
#define SERVICES_COMMON_STATUS_CHECK_H_

#include <cstdio>
#include <cstdlib>

// Stops the process with the failed condition and its place when `condition` is false.
#define CHECK(condition)                                                                   \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      std::fprintf(stderr, "CHECK failed: %s at %s:%d\n", #condition, __FILE__, __LINE__); \
      std::abort();                                                                        \
    }                                                                                      \
  } while (false)

#endif  // SERVICES_COMMON_STATUS_CHECK_H_
