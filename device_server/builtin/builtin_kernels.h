// The agent's own kernels as trials (kernel.c says what they do): measured like any other, in a confined worker, with
// their outputs verified.
#ifndef TUNEFLEET_DEVICE_SERVER_BUILTIN_BUILTIN_KERNELS_H_
#define TUNEFLEET_DEVICE_SERVER_BUILTIN_BUILTIN_KERNELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "device_server/measure/blob_source.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

// Blobs kept in memory by their digest.
class MemoryBlobs : public BlobSource {
 public:
  // Gives the digest.
  std::string Put(std::string bytes);
  absl::StatusOr<Blob> Get(absl::string_view digest) const override;

 private:
  absl::flat_hash_map<std::string, Blob> blobs_;
};

enum class BuiltinKind : uint32_t { kChain = 0, kStream = 1, kProduct = 2, kParallel = 3 };

struct BuiltinKernel {
  BuiltinKind kind = BuiltinKind::kChain;
  uint32_t size = 0;  // as kernel.c has it
};

// A trial of these kernels, side by side; its blobs go to `blobs`.
v1::Trial MakeBuiltinTrial(const std::string& trial_id, const std::vector<BuiltinKernel>& kernels,
                           const v1::MeasureOptions& options, MemoryBlobs* blobs);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_BUILTIN_BUILTIN_KERNELS_H_
