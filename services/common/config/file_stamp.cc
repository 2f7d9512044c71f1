#include "services/common/config/file_stamp.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace nightjar::config {

FileStamp StampOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {path, absl::StrCat("errno ", errno)};
  return {path, absl::StrCat(info.st_dev, ":", info.st_ino, ":", info.st_size, ":",
                             info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec, ":",
                             info.st_ctim.tv_sec, ".", info.st_ctim.tv_nsec)};
}

}  // namespace nightjar::config
