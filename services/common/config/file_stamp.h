// How a file looked, to tell later whether it is another one.
#ifndef SERVICES_COMMON_CONFIG_FILE_STAMP_H_
#define SERVICES_COMMON_CONFIG_FILE_STAMP_H_

#include <string>

namespace nightjar::config {

struct FileStamp {
  std::string path;
  std::string
      look;  // device, inode, size and times of what the path leads to; or why there is none
};

// Follows symbolic links, so that a link that leads elsewhere is a change too. Never fails.
FileStamp StampOf(const std::string& path);

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_FILE_STAMP_H_
