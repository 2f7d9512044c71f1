#include "services/common/analytics_api/gzip.h"

#include <zlib.h>

#include "services/common/status/check.h"

namespace nightjar::analytics_api {

void Gzip(absl::string_view data, std::string* out) {
  constexpr int kLevel = 1;
  constexpr int kWindowBits = 15 + 16;  // the largest window, with gzip's header
  constexpr int kMemoryLevel = 9;
  z_stream stream{};
  CHECK(deflateInit2(&stream, kLevel, Z_DEFLATED, kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) ==
        Z_OK);
  out->resize(deflateBound(&stream, data.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(&(*out)[0]);
  stream.avail_out = static_cast<uInt>(out->size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);  // the bound makes room for all of it
  out->resize(stream.total_out);
  deflateEnd(&stream);
}

}  // namespace nightjar::analytics_api
