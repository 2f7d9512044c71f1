// Does a domain label look like a name somebody chose, or like random characters?
//
// A label is compared under two explanations: characters drawn evenly (26 letters, 36 when there
// are digits), and pairs of characters as they follow each other in benign labels (name_model.inc,
// made by train_name_model.py). The result is how many bits better the first one explains it. It
// knows no malware family, only what names are like. Measured on names the table was not made from:
// see kRandomBitsMin.
#ifndef SERVICES_COMMON_SIGNALS_NAME_SHAPE_H_
#define SERVICES_COMMON_SIGNALS_NAME_SHAPE_H_

#include "absl/strings/string_view.h"

namespace nightjar::signals {

// Shorter labels are too short to tell.
inline constexpr size_t kRandomLabelCharactersMin = 7;

// At this many bits a label counts as random. Measured: 0.23 % of 171,821 popular, 0.37 % of
// 572,248 long-tail registered names and 0.22 % of 13,963 host names reach it, and 36 % of 68,167
// names from 53 malware families. Families that join words of a dictionary are beyond what one
// label can tell.
inline constexpr double kRandomBitsMin = 13.0;

// Bits in favour of "random", negative for name-like labels. `label` is lower case, one label. 0
// for labels that are short, in Punycode, or hold other characters than letters, digits and
// hyphens. Pure, thread-safe.
double RandomBits(absl::string_view label);

}  // namespace nightjar::signals

#endif  // SERVICES_COMMON_SIGNALS_NAME_SHAPE_H_
