// Made-up machines for the tests of spaces: one per vector width.
#ifndef TUNEFLEET_TESTS_CODEGEN_SPACES_SPACE_TARGETS_H_
#define TUNEFLEET_TESTS_CODEGEN_SPACES_SPACE_TARGETS_H_

#include "proto/workload.pb.h"

namespace tunefleet::codegen {

inline v1::Target PlainTarget(int threads) {
  v1::Target target;
  target.set_triple("x86_64-linux-gnu");
  target.set_threads(threads);
  return target;
}

inline v1::Target Avx2Target(int threads) {
  v1::Target target = PlainTarget(threads);
  target.add_features("avx2");
  return target;
}

inline v1::Target Avx512Target(int threads) {
  v1::Target target = Avx2Target(threads);
  target.add_features("avx512f");
  return target;
}

inline v1::Target DotProductTarget(int threads) {
  v1::Target target;
  target.set_triple("aarch64-linux-gnu");
  target.set_threads(threads);
  for (const char* feature : {"neon", "dotprod"}) target.add_features(feature);
  return target;
}

// With caches so small that the tensors of a test do not fit them.
inline v1::Target WithCaches(v1::Target target, int64_t l1_bytes, int64_t l2_bytes) {
  target.clear_caches();
  for (const int64_t bytes : {l1_bytes, l2_bytes, 2 * l2_bytes}) {
    v1::CacheLevel& cache = *target.add_caches();
    cache.set_level(target.caches_size());
    cache.set_size_bytes(bytes);
  }
  return target;
}

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_SPACES_SPACE_TARGETS_H_
