// SHA-256, the name of every blob, artifact and record key.
#ifndef TUNEFLEET_COMMON_DIGEST_H_
#define TUNEFLEET_COMMON_DIGEST_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace tunefleet::common {

inline constexpr size_t kDigestBytes = 32;

// The 32 raw bytes.
std::string Sha256(absl::string_view data);

// Lower-case hexadecimal of raw bytes, for file names and people.
std::string HexDigest(absl::string_view digest);

// SHA-256 of data that arrives in pieces. Not thread-safe.
class DigestStream {
 public:
  DigestStream();
  ~DigestStream();
  void Update(absl::string_view data);
  // Call once.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_DIGEST_H_
