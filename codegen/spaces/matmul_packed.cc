#include "codegen/spaces/matmul_packed.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/edge_parts.h"
#include "codegen/spaces/knob_space.h"
#include "codegen/spaces/output_tile.h"
#include "codegen/spaces/vector_unit.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMostStores = 1000;
constexpr int64_t kPackedRow = 64;  // elements of a row of A that lie together when A is packed; unroll_k divides it

// Loops over cache blocks and over the tiles inside, outermost first. Index: knob "order".
const std::vector<std::string> kTileOrders[] = {{"m.b", "n.b", "m.o", "n.o"},
                                                {"m.b", "n.b", "n.o", "m.o"},
                                                {"n.b", "m.b", "m.o", "n.o"},
                                                {"n.b", "m.b", "n.o", "m.o"}};

// Values of knobs "pack_a" and "pack_b": where the packed copy is made.
constexpr int64_t kUnpacked = 0;
constexpr int64_t kPackAtRoot = 1;
constexpr int64_t kPackBlock = 2;  // in the loop over cache blocks
constexpr int64_t kPackTile = 3;   // in the loop over tiles, when the other operand's tiles are inside

std::vector<int64_t> PowersUpTo(int64_t last) {
  std::vector<int64_t> values;
  for (int64_t value = 1; value < last; value *= 2) values.push_back(value);
  values.push_back(last);
  return values;
}

class MatmulPackedSpace : public KnobSpace {
 public:
  MatmulPackedSpace(v1::Workload workload, const MatmulShape& shape, const VectorUnit& unit, LoopNest fresh)
      : KnobSpace("x86.matmul.packed", 1, std::move(fresh)),
        workload_(std::move(workload)),
        s_(shape),
        unit_(unit),
        anchor_(workload_.nodes(0).kind()) {
    DeclareKnobs();
  }

 private:
  void DeclareKnobs() {
    KnobList& knobs = knob_list();
    const int64_t vectors = (s_.n + unit_.lanes - 1) / unit_.lanes;
    n_vectors_ = knobs.Add("n_vectors",
                           Those(UpTo(std::min<int64_t>(8, vectors)), [this](int64_t n) { return unit_.Fits(n, n); }));
    m_tile_ = knobs.Add("m_tile", [this](KnobValues at) {
      return Those(UpTo(std::min<int64_t>(30, s_.m)),
                   [&](int64_t m) { return unit_.Fits(m * at[n_vectors_], at[n_vectors_]); });
    });
    // Tiles in a cache block.
    m_block_ = knobs.Add("m_block", [this](KnobValues at) { return PowersUpTo((s_.m - 1) / at[m_tile_] + 1); });
    n_block_ = knobs.Add("n_block", [this](KnobValues at) { return PowersUpTo((s_.n - 1) / Width(at) + 1); });
    unroll_k_ = knobs.Add("unroll_k", [this](KnobValues at) {
      return Those({1, 2, 4, 8, 16}, [&](int64_t k) { return k <= s_.k && Stores(at, k) <= kMostStores; });
    });
    order_ = knobs.Add("order", {0, 1, 2, 3});
    inner_ = knobs.Add("inner", {0, 1});  // innermost over rows of a vector of columns, or the other way round
    pack_a_ = knobs.Add("pack_a", [this](KnobValues at) {
      std::vector<int64_t> values = {kUnpacked, kPackAtRoot, kPackBlock};
      if (kTileOrders[at[order_]][2] == "m.o") values.push_back(kPackTile);
      return values;
    });
    pack_b_ = knobs.Add("pack_b", [this](KnobValues at) {
      if (s_.constant_b) return std::vector<int64_t>{kUnpacked};  // prepare packs it
      std::vector<int64_t> values = {kPackAtRoot, kPackBlock};
      if (!s_.tb) values.insert(values.begin(), kUnpacked);
      if (kTileOrders[at[order_]][2] == "n.o") values.push_back(kPackTile);
      return values;
    });
    parallel_ = knobs.Add("parallel", [this](KnobValues at) {  // 0: none, 1: outermost loop, 2: the outer two
      std::vector<int64_t> values = {0};
      if (unit_.threads == 1) return values;
      values.push_back(1);
      const std::vector<EdgeCut> cuts = Cuts(at, at[order_], at[unroll_k_]);
      const bool below = cuts[0].parts.size() == 1 && pack(at, kTileOrders[at[order_]][0]) != kPackBlock;
      if (s_.batch > 1 ? cuts[0].parts.size() == 1 : below && cuts[1].parts.size() == 1) values.push_back(2);
      return values;
    });
  }

  int64_t Width(KnobValues at) const { return at[n_vectors_] * unit_.lanes; }
  // The packing knob of the operand that the block loop runs over.
  int64_t pack(KnobValues at, const std::string& loop) const { return at[loop == "m.b" ? pack_a_ : pack_b_]; }

  // Parts of a loop over cache blocks of `block` tiles, and of the loop over the tiles of the last, partial block.
  static std::vector<EdgePart> BlockParts(int64_t extent, int64_t tile, int64_t block) {
    return EdgeParts({.outputs = extent, .tile = tile * block});
  }
  static std::vector<EdgePart> LastBlockParts(int64_t extent, int64_t tile, int64_t block) {
    const int64_t rest = extent % (tile * block);
    std::vector<EdgePart> parts = EdgeParts({.outputs = std::max<int64_t>(rest, 1), .tile = tile});
    if (parts.back().end < block) parts.push_back({parts.back().end, block, false});
    return parts;
  }

  // The tile loops, outermost first, then k.o.
  std::vector<EdgeCut> Cuts(KnobValues at, int64_t order, int64_t unroll_k) const {
    std::vector<EdgeCut> cuts;
    for (const std::string& loop : kTileOrders[order]) {
      const bool rows = loop[0] == 'm';
      const int64_t extent = rows ? s_.m : s_.n;
      const int64_t tile = rows ? at[m_tile_] : Width(at);
      const int64_t block = rows ? at[m_block_] : at[n_block_];
      if (loop == "m.b" || loop == "n.b") {
        cuts.push_back({loop, BlockParts(extent, tile, block), rows ? "m" : "n"});
        continue;
      }
      const std::string outer = rows ? "m.b" : "n.b";
      const int of = cuts[0].loop == outer ? 0 : 1;
      cuts.push_back({loop, {{0, block, true}}, rows ? "r" : "c", of, LastBlockParts(extent, tile, block)});
    }
    cuts.push_back({"k.o", EdgeParts({.outputs = s_.k, .tile = unroll_k}), "k"});
    return cuts;
  }

  int64_t Accumulators(KnobValues at) const { return at[m_tile_] * at[n_vectors_]; }

  int64_t Stores(KnobValues at, int64_t unroll_k) const {
    const int64_t carriers = 1 + std::max(1, workload_.nodes_size() - 1);
    return Accumulators(at) * CountLeaves(Cuts(at, 0, unroll_k)) * (unroll_k + carriers);
  }

  v1::Schedule Build(KnobValues at) const override {
    ScheduleBuilder b("direct", 1);
    const int64_t width = Width(at);
    std::vector<std::string> axes = {"m", "n"};
    if (!s_.constant_b) axes.insert(axes.begin(), "b");
    OutputTile tile(workload_, axes, &b);
    if (s_.constant_b)
      b.TransformLayout("weight", {absl::StrCat("0/", width), "1", absl::StrCat("0%", width)}, "packed");
    if (at[pack_a_] != kUnpacked) PackA(at, b);
    if (at[pack_b_] != kUnpacked) PackB(at, b);

    b.Split("m", {0, at[m_block_], at[m_tile_]}, {"m.b", "m.o", "m.i"});
    b.Split("n", {0, at[n_block_], at[n_vectors_], unit_.lanes}, {"n.b", "n.o", "n.i", "n.v"});
    b.Split("k", {0, at[unroll_k_]}, {"k.o", "k.u"});
    const std::vector<std::string>& outer = kTileOrders[at[order_]];
    std::vector<std::string> loops = outer;
    if (!s_.constant_b) loops.insert(loops.begin(), "b");
    const std::vector<std::string> inner =
        at[inner_] == 0 ? std::vector<std::string>{"k.u", "n.i", "m.i"} : std::vector<std::string>{"k.u", "m.i", "n.i"};
    loops.push_back("k.o");
    loops.insert(loops.end(), inner.begin(), inner.end());
    loops.push_back("n.v");
    b.Reorder(loops);

    tile.PlaceAt(outer.back(), "k.o");
    for (const std::string& block : tile.blocks()) {
      const std::string vectors = absl::StrCat(block, ".n.i");
      const std::string vector = absl::StrCat(block, ".n.v");
      b.Split(tile.Loop(block, "n"), {at[n_vectors_], unit_.lanes}, {vectors, vector});
      b.Unroll(tile.Loop(block, "m")).Unroll(vectors).Vectorize(vector);
    }
    for (const std::string& loop : inner) b.Unroll(loop);
    b.Vectorize("n.v");
    if (at[pack_a_] != kUnpacked) PlacePackedA(at, b);
    if (at[pack_b_] != kUnpacked) PlacePackedB(at, b);
    const std::vector<EdgeCut> cuts = Cuts(at, at[order_], at[unroll_k_]);
    const std::vector<std::string> tasks = TaskLoops(at, cuts, b);
    PartitionEdges(cuts, b);
    for (const std::string& loop : tasks) b.Parallel(loop);
    return b.schedule();
  }

  // Dimensions of an operand: rows and columns follow the batch, if there is one; transposed ones are swapped.
  int Dimension(bool second, bool transposed) const { return (s_.constant_b ? 0 : 1) + (second != transposed ? 1 : 0); }

  // Groups of m_tile rows; in a group, short pieces of its rows side by side, so that rows that are a power of two
  // apart do not evict each other.
  void PackA(KnobValues at, ScheduleBuilder& b) const {
    const int m = Dimension(false, s_.ta);
    const int k = Dimension(true, s_.ta);
    b.CacheRead(anchor_, s_.constant_b ? "data" : "a", "workspace", "a.packed");
    std::vector<std::string> terms;
    if (!s_.constant_b) terms.push_back("0");
    const std::string tile = absl::StrCat(at[m_tile_]);
    terms.push_back(absl::StrCat(m, "/", tile));
    terms.push_back(absl::StrCat(k, "/", kPackedRow));
    if (s_.ta) {
      terms.push_back(absl::StrCat(k, "%", kPackedRow));
      terms.push_back(absl::StrCat(m, "%", tile));
    } else {
      terms.push_back(absl::StrCat(m, "%", tile));
      terms.push_back(absl::StrCat(k, "%", kPackedRow));
    }
    b.TransformLayout("a.packed", terms, "a.packed");
  }

  void PlacePackedA(KnobValues at, ScheduleBuilder& b) const {
    if (at[pack_a_] == kPackBlock) b.ComputeAt("a.packed", "m.b");
    if (at[pack_a_] == kPackTile) b.ComputeAt("a.packed", "m.o");
    if (s_.ta || s_.k == 1) return;  // pieces of m_tile elements are copied one by one
    const std::string row = absl::StrCat("a.packed.d", Dimension(true, false));
    b.Split(row, {0, kPackedRow / unit_.lanes, unit_.lanes}, {row + ".o", row + ".i", row + ".v"});
    b.Vectorize(row + ".v");
  }

  // Panels of a tile's columns: for every k, the vectors of the tile side by side.
  void PackB(KnobValues at, ScheduleBuilder& b) const {
    const int n = Dimension(true, s_.tb);
    const std::string width = absl::StrCat(Width(at));
    b.CacheRead(anchor_, "b", "workspace", "b.packed");
    b.TransformLayout(
        "b.packed",
        {"0", absl::StrCat(n, "/", width), absl::StrCat(Dimension(false, s_.tb)), absl::StrCat(n, "%", width)},
        "b.packed");
  }

  void PlacePackedB(KnobValues at, ScheduleBuilder& b) const {
    if (at[pack_b_] == kPackBlock) b.ComputeAt("b.packed", "n.b");
    if (at[pack_b_] == kPackTile) b.ComputeAt("b.packed", "n.o");
    const std::string column = absl::StrCat("b.packed.d", Dimension(true, s_.tb));
    const std::string row = absl::StrCat("b.packed.d", Dimension(false, s_.tb));
    b.Split(column, {0, at[n_vectors_], unit_.lanes}, {column + ".o", column + ".i", column + ".v"});
    b.Reorder({column + ".o", row, column + ".i", column + ".v"});
    b.Unroll(column + ".i");
    if (s_.n > 1) b.Vectorize(column + ".v");  // a single column is in no index: its lanes would seem to collide
  }

  // Fuses what becomes parallel, and names the loops that will after partition.
  std::vector<std::string> TaskLoops(KnobValues at, const std::vector<EdgeCut>& cuts, ScheduleBuilder& b) const {
    if (at[parallel_] == 0) return {};
    if (at[parallel_] == 1) return s_.batch > 1 ? std::vector<std::string>{"b"} : PartLoops(cuts[0]);
    b.Fuse(s_.batch > 1 ? std::vector<std::string>{"b", cuts[0].loop}
                        : std::vector<std::string>{cuts[0].loop, cuts[1].loop},
           "task");
    return {"task"};
  }

  std::vector<double> Derived(KnobValues at) const override {
    const double m = at[m_tile_];
    const double n = Width(at);
    const double m_tiles = std::ceil(s_.m / m);
    const double n_tiles = std::ceil(s_.n / n);
    const double k_bytes = 4.0 * s_.k;
    return {static_cast<double>(Accumulators(at)) / unit_.registers,
            m * at[n_vectors_] / (m + at[n_vectors_]),
            std::log2(1 + k_bytes * n / unit_.l1_bytes),
            std::log2(1 + k_bytes * m / unit_.l1_bytes),
            std::log2(1 + k_bytes * n * at[n_block_] / unit_.l2_bytes),
            std::log2(1 + k_bytes * m * at[m_block_] / unit_.l2_bytes),
            std::log2(Stores(at, at[unroll_k_])),
            static_cast<double>(s_.m) * s_.n / (m_tiles * m * n_tiles * n),
            std::log2(m_tiles / at[m_block_] + 1),
            std::log2(n_tiles / at[n_block_] + 1)};
  }

  const v1::Workload workload_;
  const MatmulShape s_;
  const VectorUnit unit_;
  const std::string anchor_;
  Knob n_vectors_, m_tile_, m_block_, n_block_, unroll_k_, order_, inner_, pack_a_, pack_b_, parallel_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeMatmulPackedSpace(const v1::Workload& workload,
                                                                     const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(const MatmulShape shape, MatmulShapeOf(workload));
  TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, "direct", 1));
  return std::make_unique<MatmulPackedSpace>(workload, shape, VectorUnitOf(target), std::move(fresh));
}

}  // namespace tunefleet::codegen
