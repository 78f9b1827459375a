#include "codegen/explain/roofline.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "codegen/features/loop_outline.h"

namespace tunefleet::codegen {
namespace {

using Blocks = std::vector<const OutlineBlock*>;

// Data that the loops of a program move, for caches of any size.
class DataMover {
 public:
  explicit DataMover(const LoopNest& nest) : nest_(nest), outline_(OutlineOf(nest)) {}

  // Bytes that one run moves across a level whose near side holds `holds_bytes` (0: the registers).
  double Moved(int64_t holds_bytes, bool warm) const {
    Blocks all;
    for (const OutlineBlock& block : outline_.blocks) all.push_back(&block);
    if (warm && Footprint(all, 0) <= static_cast<double>(holds_bytes)) return 0;
    return Moved(all, 0, holds_bytes);
  }

  double Flops() const {
    double flops = 0;
    for (const OutlineBlock& block : outline_.blocks) {
      double instances = 1;
      for (const int loop : block.loops) instances *= static_cast<double>(outline_.loops[loop].extent);
      flops += 2 * instances * static_cast<double>(block.multiply_adds);
    }
    return flops;
  }

 private:
  // Of blocks that share their first `depth` loops, in one iteration of these.
  double Moved(const Blocks& blocks, size_t depth, int64_t holds) const {
    if (holds > 0 && Footprint(blocks, depth) <= static_cast<double>(holds)) return Footprint(blocks, depth);
    double moved = 0;
    for (size_t i = 0; i < blocks.size();) {
      if (blocks[i]->loops.size() == depth) {
        moved += Footprint({blocks[i]}, depth);
        ++i;
        continue;
      }
      const int number = blocks[i]->loops[depth];
      Blocks inside;
      for (; i < blocks.size() && blocks[i]->loops.size() > depth && blocks[i]->loops[depth] == number; ++i) {
        inside.push_back(blocks[i]);
      }
      moved += MovedByLoop(inside, depth, holds);
    }
    return moved;
  }

  double MovedByLoop(const Blocks& blocks, size_t depth, int64_t holds) const {
    const OutlineLoop& loop = outline_.loops[blocks[0]->loops[depth]];
    const bool body_stays = holds > 0 ? Footprint(blocks, depth + 1) <= static_cast<double>(holds)
                                      : loop.kind == LoopKind::kUnrolled || loop.kind == LoopKind::kVectorized ||
                                            loop.kind == LoopKind::kTensorized;
    if (body_stays) return Footprint(blocks, depth);
    return static_cast<double>(loop.extent) * Moved(blocks, depth + 1, holds);
  }

  // Bytes that the blocks touch in one iteration of the loops around `depth`.
  double Footprint(const Blocks& blocks, size_t depth) const {
    std::map<int, double> touched;  // by buffer
    for (const OutlineBlock* block : blocks) {
      for (const OutlineAccess& access : block->accesses) {
        if (nest_.buffers[access.buffer].scope == Scope::kLocal) continue;
        double bytes = static_cast<double>(access.element_bytes);
        for (size_t d = 0; d < access.shape.size(); ++d) {
          double span = 1;
          for (size_t i = depth; i < block->loops.size(); ++i) {
            span += std::abs(access.steps[i][d]) * static_cast<double>(outline_.loops[block->loops[i]].extent - 1);
          }
          bytes *= std::min(std::floor(span + 1e-9), static_cast<double>(access.shape[d]));
        }
        double& most = touched[access.buffer];
        most = std::max(most, bytes);
      }
    }
    double bytes = 0;
    for (const auto& [buffer, most] : touched) bytes += most;
    return bytes;
  }

  const LoopNest& nest_;
  const LoopOutline outline_;
};

bool Has(const v1::Target& target, const std::string& feature) {
  return std::find(target.features().begin(), target.features().end(), feature) != target.features().end();
}

}  // namespace

Ceilings DeclaredCeilings(const v1::Target& target, double clock_ghz, v1::DataType dtype) {
  // Bytes a cycle of one core: two vector loads, one line from the second level, and less the further away.
  constexpr double kThirdLevel = 16, kMemory = 6;
  const double vector_bytes = Has(target, "avx512f") ? 64 : Has(target, "avx2") ? 32 : 16;
  const double cores = std::max(1, target.threads());
  const bool dots = Has(target, "dotprod") || Has(target, "avx512vnni") || Has(target, "avxvnni");
  const double products = dtype == v1::DATA_TYPE_INT8 && dots ? 4 : 1;
  Ceilings ceilings{.clock_ghz = clock_ghz, .peak_gflops = cores * clock_ghz * 2 * 2 * products * vector_bytes / 4};
  std::vector<v1::CacheLevel> caches(target.caches().begin(), target.caches().end());
  std::sort(caches.begin(), caches.end(), [](const auto& a, const auto& b) { return a.level() < b.level(); });
  int64_t holds = 0;
  for (const v1::CacheLevel& cache : caches) {
    const double bytes = cache.level() == 1 ? 2 * vector_bytes : cache.level() == 2 ? vector_bytes : kThirdLevel;
    ceilings.levels.push_back({"L" + std::to_string(cache.level()), cores * clock_ghz * bytes, holds});
    holds = static_cast<int64_t>(cache.size_bytes());
  }
  ceilings.levels.push_back({"memory", cores * clock_ghz * kMemory, holds});
  return ceilings;
}

Roofline RooflineOf(const LoopNest& nest, const Ceilings& ceilings, bool warm) {
  const DataMover mover(nest);
  Roofline roofline{.flops = mover.Flops(), .peak_gflops = ceilings.peak_gflops, .bound_gflops = ceilings.peak_gflops};
  for (const Ceilings::Level& ceiling : ceilings.levels) {
    Roofline::Level level{.name = ceiling.name, .bytes = mover.Moved(ceiling.holds_bytes, warm)};
    level.intensity = level.bytes > 0 ? roofline.flops / level.bytes : HUGE_VAL;
    level.bound_gflops = level.intensity * ceiling.gigabytes_s;
    if (level.bound_gflops < roofline.bound_gflops) {
      roofline.bound = level.name;
      roofline.bound_gflops = level.bound_gflops;
    }
    roofline.levels.push_back(std::move(level));
  }
  return roofline;
}

}  // namespace tunefleet::codegen
