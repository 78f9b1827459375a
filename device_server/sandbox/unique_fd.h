// A file descriptor that closes itself. Move-only; not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_UNIQUE_FD_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace tunefleet::device {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_UNIQUE_FD_H_
