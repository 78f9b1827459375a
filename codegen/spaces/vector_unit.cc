#include "codegen/spaces/vector_unit.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/element_size.h"
#include "codegen/operators/element_type.h"

namespace tunefleet::codegen {
namespace {

int64_t CacheBytes(const v1::Target& target, int level, int64_t fallback) {
  for (const v1::CacheLevel& cache : target.caches()) {
    if (cache.level() == level && cache.size_bytes() > 0) return cache.size_bytes();
  }
  return fallback;
}

std::string FamilyOf(absl::string_view triple) {
  const absl::string_view architecture = triple.substr(0, triple.find('-'));
  if (architecture == "aarch64" || architecture == "arm64") return "arm64";
  if (absl::StartsWith(architecture, "arm")) return "arm";
  if (absl::StartsWith(architecture, "riscv")) return "riscv";
  return "x86";
}

}  // namespace

VectorUnit VectorUnitOf(const v1::Target& target) {
  const auto has = [&](absl::string_view feature) {
    return std::find(target.features().begin(), target.features().end(), feature) != target.features().end();
  };
  VectorUnit unit{.family = FamilyOf(target.triple()),
                  .lanes = 4,
                  .registers = 16,
                  .broadcast_operand = false,
                  .lane_operand = false,
                  .dot_product = false};
  if (unit.family == "arm64") {
    unit.registers = 32;
    unit.lane_operand = true;
    unit.dot_product = has("dotprod");
  } else if (has("avx512f")) {
    unit.lanes = 16;
    unit.registers = 32;
    unit.broadcast_operand = true;
  } else if (has("avx2")) {
    unit.lanes = 8;
  }
  unit.l1_bytes = CacheBytes(target, 1, 32 << 10);
  unit.l2_bytes = CacheBytes(target, 2, 512 << 10);
  unit.threads = std::max(1, target.threads());
  unit.l3_bytes = CacheBytes(target, 3, unit.l2_bytes * unit.threads) / unit.threads;
  return unit;
}

int64_t ProductsPerLane(const VectorUnit& unit, v1::DataType dtype) {
  return dtype == v1::DATA_TYPE_INT8 && unit.dot_product ? 4 : 1;
}

int64_t OperandBytes(v1::DataType dtype) { return ElementBytes(ScalarTypeOf(dtype)); }

}  // namespace tunefleet::codegen
