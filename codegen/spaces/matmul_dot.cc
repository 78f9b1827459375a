#include "codegen/spaces/matmul_dot.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/operators/implementation.h"
#include "codegen/spaces/edge_parts.h"
#include "codegen/spaces/knob_space.h"
#include "codegen/spaces/output_tile.h"
#include "codegen/spaces/vector_unit.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMostStores = 600;
constexpr int64_t kFew = 8;    // rows or columns
constexpr int64_t kSteps = 4;  // lanes are added up to one in two steps: to lanes / kSteps, then to one

const std::vector<std::string> kTileOrders[] = {{"m.o", "n.o"}, {"n.o", "m.o"}};  // index: knob "order"

class MatmulDotSpace : public KnobSpace {
 public:
  MatmulDotSpace(v1::Workload workload, const MatmulShape& shape, const VectorUnit& unit, LoopNest fresh)
      : KnobSpace(absl::StrCat(unit.family, ".matmul.dot"), 1, std::move(fresh)),
        workload_(std::move(workload)),
        s_(shape),
        unit_(unit),
        anchor_(workload_.nodes(0).kind()) {
    DeclareKnobs();
  }

 private:
  void DeclareKnobs() {
    KnobList& knobs = knob_list();
    n_tile_ =
        knobs.Add("n_tile", Those(UpTo(std::min<int64_t>(kFew, s_.n)), [this](int64_t n) { return Fits(1, n, 1); }));
    m_tile_ = knobs.Add("m_tile", [this](KnobValues at) {
      return Those(UpTo(std::min<int64_t>(16, s_.m)), [&](int64_t m) { return Fits(m, at[n_tile_], 1); });
    });
    unroll_ = knobs.Add("unroll", [this](KnobValues at) {  // vectors of a step
      return Those({1, 2, 4}, [&](int64_t unroll) {
        return unroll * unit_.lanes < s_.k && Fits(at[m_tile_], at[n_tile_], unroll);
      });
    });
    order_ = knobs.Add("order", {0, 1});
    parallel_ = knobs.Add("parallel", [this](KnobValues) {
      return unit_.threads == 1 ? std::vector<int64_t>{0} : std::vector<int64_t>{0, 1};
    });
  }

  // In the registers, and in the limit of unrolled stores.
  bool Fits(int64_t m, int64_t n, int64_t unroll) const {
    return m * n + std::min(m, n) + 1 <= unit_.registers && Stores(m, n, unroll) <= kMostStores;
  }

  std::vector<EdgeCut> Cuts(const std::vector<std::string>& order, int64_t m, int64_t n, int64_t unroll) const {
    std::vector<EdgeCut> cuts;
    for (const std::string& loop : order) {
      const bool rows = loop == "m.o";
      cuts.push_back({loop, EdgeParts({.outputs = rows ? s_.m : s_.n, .tile = rows ? m : n}), rows ? "m" : "n"});
    }
    cuts.push_back({absl::StrCat(anchor_, ".k.o"), EdgeParts({.outputs = s_.k, .tile = unroll * unit_.lanes}), "k"});
    return cuts;
  }

  int64_t Stores(int64_t m, int64_t n, int64_t unroll) const {
    return CountLeaves(Cuts(kTileOrders[0], m, n, unroll)) * m * n * (unroll + 2 * kSteps);
  }

  v1::Schedule Build(KnobValues at) const override {
    ScheduleBuilder b("direct", 1);
    if (!s_.tb) {
      b.CacheRead(anchor_, "b", "workspace", "b.packed");
      b.TransformLayout("b.packed", {"0", "2", "1"}, "b.packed");
    }
    OutputTile tile(workload_, {"b", "m", "n"}, OutputTile::Passes::kOne, &b);
    const bool unrolls = at[unroll_] > 1;  // a loop of one iteration would make no iterator
    if (unrolls) {
      b.Split("k", {0, at[unroll_], unit_.lanes}, {"k.o", "k.u", "k.v"});
    } else {
      b.Split("k", {0, unit_.lanes}, {"k.o", "k.v"});
    }
    b.RFactor(anchor_, "k.v", "local", "part");
    b.Split("part.out.k.v", {kSteps, unit_.lanes / kSteps}, {"part.q", "part.l"});
    b.RFactor("part.out", "part.l", "local", "total");

    b.Split("total.out.d1", {0, at[m_tile_]}, {"m.o", "m.i"}).Split("total.out.d2", {0, at[n_tile_]}, {"n.o", "n.i"});
    const std::vector<std::string>& order = kTileOrders[at[order_]];
    b.Reorder({"total.out.d0", order[0], order[1], "m.i", "n.i", "total.out.part.l"});
    tile.PlaceCarriersAt(order[1]);
    b.ComputeAt("part.out", order[1]).ComputeAt(anchor_, order[1]);
    const auto loop = [](const std::string& block, const std::string& iter) { return absl::StrCat(block, ".", iter); };
    std::vector<std::string> inner = {loop(anchor_, "m"), loop(anchor_, "n")};
    if (unrolls) inner.insert(inner.begin(), loop(anchor_, "k.u"));
    std::vector<std::string> all = inner;
    all.insert(all.begin(), loop(anchor_, "k.o"));
    b.Reorder(all);
    b.DecomposeReduction("total.out", "m.i", "total.zero");
    b.DecomposeReduction("part.out", "part.out.d1", "part.zero");
    b.DecomposeReduction(anchor_, loop(anchor_, "k.o"), "zero");
    for (const std::string& unrolled :
         {std::string("m.i"), std::string("n.i"), std::string("total.out.part.l"), std::string("total.zero.d1"),
          std::string("total.zero.d2"), std::string("part.out.d1"), std::string("part.out.d2"),
          std::string("part.out.part.q"), std::string("part.zero.d1"), std::string("part.zero.d2"),
          std::string("zero.m"), std::string("zero.n")}) {
      b.Unroll(unrolled);
    }
    for (const std::string& unrolled : inner) b.Unroll(unrolled);
    for (const std::string& block : tile.blocks()) b.Unroll(tile.Loop(block, "m")).Unroll(tile.Loop(block, "n"));
    b.Vectorize("part.out.part.l").Vectorize("part.zero.part.l").Vectorize(loop(anchor_, "k.v")).Vectorize("zero.k.v");
    const std::vector<EdgeCut> cuts = Cuts(order, at[m_tile_], at[n_tile_], at[unroll_]);
    std::vector<std::string> tasks;
    if (at[parallel_] == 1) tasks = s_.batch > 1 ? std::vector<std::string>{"total.out.d0"} : PartLoops(cuts[0]);
    PartitionEdges(cuts, b);
    for (const std::string& task : tasks) b.Parallel(task);
    return b.schedule();
  }

  std::vector<double> Derived(KnobValues at) const override {
    const double m = at[m_tile_];
    const double n = at[n_tile_];
    const double useful = static_cast<double>(s_.m) * s_.n;
    return {m * n / unit_.registers, m * n / (m + n), useful / (std::ceil(s_.m / m) * m * std::ceil(s_.n / n) * n),
            std::log2(Stores(at[m_tile_], at[n_tile_], at[unroll_]))};
  }

  const v1::Workload workload_;
  const MatmulShape s_;
  const VectorUnit unit_;
  const std::string anchor_;
  Knob n_tile_, m_tile_, unroll_, order_, parallel_;
};

}  // namespace

bool MatmulDotApplies(const MatmulShape& s, const v1::Target& target) {
  const VectorUnit unit = VectorUnitOf(target);
  if (s.constant_a || s.constant_b || unit.lanes <= kSteps || s.k < 2 * unit.lanes) return false;
  const bool rows_are_dense = !s.ta || s.m == 1;
  return rows_are_dense && (s.n <= kFew || (s.tb && s.m <= kFew));
}

absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeMatmulDotSpace(const v1::Workload& workload,
                                                                  const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(const MatmulShape shape, MatmulShapeOf(workload));
  TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, "direct", 1));
  return std::make_unique<MatmulDotSpace>(workload, shape, VectorUnitOf(target), std::move(fresh));
}

}  // namespace tunefleet::codegen
