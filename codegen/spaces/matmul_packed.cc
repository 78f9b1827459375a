#include "codegen/spaces/matmul_packed.h"

#include <algorithm>
#include <cmath>
#include <optional>
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
constexpr int64_t kEnoughAccumulators = 12;  // fewer leave multiply-adds waiting for each other

// Loops over cache blocks and over the tiles inside, outermost first. Index: knob "order".
const std::vector<std::string> kTileOrders[] = {{"m.b", "n.b", "m.o", "n.o"},
                                                {"m.b", "n.b", "n.o", "m.o"},
                                                {"n.b", "m.b", "m.o", "n.o"},
                                                {"n.b", "m.b", "n.o", "m.o"}};

// Values of knobs "pack_a" and "pack_b": where the packed copy is made.
constexpr int64_t kUnpacked = 0;
constexpr int64_t kPackWhole = 1;  // once for each matrix
constexpr int64_t kPackBlock = 2;  // for each cache block
constexpr int64_t kPackTile = 3;   // for each tile, when the other operand's tiles are inside

// Values of knob "parallel": what runs in parallel.
constexpr int64_t kSerial = 0;
constexpr int64_t kOutermost = 1;
constexpr int64_t kOuterTwo = 2;
constexpr int64_t kInnerBlocks = 3;  // the inner loop over cache blocks, which share the packed outer operand

std::vector<int64_t> PowersUpTo(int64_t last) {
  std::vector<int64_t> values;
  for (int64_t value = 1; value < last; value *= 2) values.push_back(value);
  values.push_back(last);
  return values;
}

class MatmulPackedSpace : public KnobSpace {
 public:
  MatmulPackedSpace(v1::Workload workload, const MatmulShape& shape, std::string name, std::string implementation,
                    const VectorUnit& unit, LoopNest fresh)
      : KnobSpace(absl::StrCat(unit.family, ".", name), 3, std::move(fresh)),
        workload_(std::move(workload)),
        s_(shape),
        implementation_(std::move(implementation)),
        unit_(unit),
        anchor_(workload_.nodes(0).kind()),
        bytes_(OperandBytes(shape.dtype)),
        products_(SumsGroups(shape) ? ProductsPerLane(unit, shape.dtype) : 1) {
    DeclareKnobs();
  }

 private:
  // Whether the products that an instruction may sum up lie together in rows of A, and all its lanes are columns.
  static bool SumsGroups(const MatmulShape& s) { return !s.ta && s.k % 4 == 0 && s.n % 4 == 0; }

  void DeclareKnobs() {
    KnobList& knobs = knob_list();
    const int64_t vectors = (s_.n + unit_.lanes - 1) / unit_.lanes;
    n_vectors_ = knobs.Add("n_vectors", Those(UpTo(std::min<int64_t>(8, vectors)),
                                              [&](int64_t n) { return Fits(1, n) && (n > 1 || vectors == 1); }));
    m_tile_ = knobs.Add("m_tile", [this](KnobValues at) {
      const std::vector<int64_t> fitting =
          Those(UpTo(std::min<int64_t>(30, s_.m)), [&](int64_t m) { return Fits(m, at[n_vectors_]); });
      return Rated(fitting, kEnoughAccumulators, [&](int64_t m) { return m * at[n_vectors_]; });
    });
    // Depth of a pass; a shallower last one is cut off.
    k_block_ = knobs.Add("k_block", [this](KnobValues) {
      std::vector<int64_t> values = {s_.k};
      for (const int64_t k : {1024, 768, 512, 384, 256, 192, 128}) {
        if (k < s_.k) values.insert(values.begin(), k);
      }
      return values;
    });
    // Tiles in a cache block. The rows' block stays in the second level; the columns' there, or in the third.
    m_block_ = knobs.Add("m_block", [this](KnobValues at) {
      return Those(PowersUpTo((s_.m - 1) / at[m_tile_] + 1),
                   [&](int64_t m) { return m * TileBytes(at[m_tile_], at) <= 2 * unit_.l2_bytes; });
    });
    n_block_ = knobs.Add("n_block", [this](KnobValues at) {
      const int64_t rest =
          std::max(3 * unit_.l2_bytes - at[m_block_] * TileBytes(at[m_tile_], at), unit_.l3_bytes / 2);
      return Those(PowersUpTo((s_.n - 1) / Width(at) + 1),
                   [&](int64_t n) { return n * TileBytes(Width(at), at) <= rest; });
    });
    order_ = knobs.Add("order", {0, 1, 2, 3});
    // Prepare packs a constant.
    pack_a_ = knobs.Add("pack_a", [this](KnobValues at) {
      return s_.constant_a ? std::vector<int64_t>{kUnpacked} : PackDomain(at, "m", true);
    });
    pack_b_ = knobs.Add("pack_b", [this](KnobValues at) {
      return s_.constant_b ? std::vector<int64_t>{kUnpacked} : PackDomain(at, "n", !s_.tb && products_ == 1);
    });
    unroll_k_ = knobs.Add("unroll_k", [this](KnobValues at) {
      std::vector<int64_t> values = {1, 2, 4, 8, 16};
      std::erase_if(values, [this](int64_t k) { return k % products_ != 0; });
      return Those(values, [&](int64_t k) { return k <= std::min(s_.k, RowPiece()) && Stores(at, k) <= kMostStores; });
    });
    parallel_ = knobs.Add("parallel", [this](KnobValues at) {
      std::vector<int64_t> values = {kSerial};
      if (unit_.threads == 1) return values;
      values.push_back(kOutermost);
      const std::vector<EdgeCut> cuts = Cuts(at, at[unroll_k_]);
      const bool whole = cuts[0].parts.size() == 1;
      const bool adjacent = Passes(at) == 1 && PackKnob(at, cuts[0].loop) != kPackBlock && cuts[1].parts.size() == 1;
      const bool shared = at[pack_a_] == kPackWhole || at[pack_b_] == kPackWhole;
      if (whole && (s_.batch > 1 ? !shared : adjacent)) values.push_back(kOuterTwo);
      values.push_back(kInnerBlocks);
      return values;
    });
  }

  std::vector<int64_t> PackDomain(KnobValues at, const std::string& axis, bool may_stay) const {
    std::vector<int64_t> values = {kPackWhole, kPackBlock};
    if (may_stay) values.insert(values.begin(), kUnpacked);
    if (kTileOrders[at[order_]][2] == axis + ".o") values.push_back(kPackTile);
    return values;
  }

  // Accumulators, a row of vectors of B, and a broadcast element of A that several of them share.
  bool Fits(int64_t m, int64_t n) const {
    const int64_t broadcasts = n > 1 || !unit_.broadcast_operand ? 1 : 0;
    return m * n + n + broadcasts <= unit_.registers;
  }
  int64_t Width(KnobValues at) const { return at[n_vectors_] * unit_.lanes; }
  // Of the elements of A or B that one tile reads in a pass.
  int64_t TileBytes(int64_t rows, KnobValues at) const { return rows * at[k_block_] * bytes_; }
  int64_t Passes(KnobValues at) const { return (s_.k - 1) / at[k_block_] + 1; }
  int64_t PackKnob(KnobValues at, const std::string& block_loop) const {
    return at[block_loop == "m.b" ? pack_a_ : pack_b_];
  }
  // Rows of A are packed in pieces of this many elements ...
  int64_t RowPiece() const { return unit_.lanes * products_; }
  // ... which the loops over k go through one by one.
  int64_t Piece(KnobValues at, int64_t unroll_k) const {
    return (s_.constant_a || at[pack_a_] != kUnpacked) && !s_.ta ? RowPiece() : unroll_k;
  }

  // A loop over blocks of `tile` * `count` elements, and the loop inside over the block's tiles.
  static EdgeCut BlockCut(std::string loop, int64_t extent, int64_t tile, int64_t count, std::string tag) {
    return {std::move(loop), EdgeParts({.outputs = extent, .tile = tile * count}), std::move(tag)};
  }
  static EdgeCut TileCut(std::string loop, int64_t extent, int64_t tile, int64_t count, std::string tag, size_t block) {
    const int64_t rest = extent % (tile * count);
    std::vector<EdgePart> last = EdgeParts({.outputs = std::max<int64_t>(rest, 1), .tile = tile});
    if (last.back().end < count) last.push_back({last.back().end, count, false});
    return {std::move(loop), {{0, count, true}}, std::move(tag), static_cast<int>(block), std::move(last)};
  }

  // The tile loops, outermost first: order[0], k.b when there are several passes, order[1], ..., then those over k.
  std::vector<EdgeCut> Cuts(KnobValues at, int64_t unroll_k) const {
    const std::vector<std::string>& order = kTileOrders[at[order_]];
    const int64_t piece = Piece(at, unroll_k);
    const int64_t pieces = (at[k_block_] - 1) / piece + 1;
    const EdgeCut passes = BlockCut("k.b", s_.k, piece, pieces, "p");
    std::vector<EdgeCut> cuts;
    const auto index_of = [&](const std::string& loop) {
      return static_cast<size_t>(
          std::find_if(cuts.begin(), cuts.end(), [&](const EdgeCut& cut) { return cut.loop == loop; }) - cuts.begin());
    };
    for (const std::string& loop : order) {
      const bool rows = loop[0] == 'm';
      const int64_t extent = rows ? s_.m : s_.n;
      const int64_t tile = rows ? at[m_tile_] : Width(at);
      const int64_t count = rows ? at[m_block_] : at[n_block_];
      if (loop == "m.b" || loop == "n.b") {
        cuts.push_back(BlockCut(loop, extent, tile, count, rows ? "m" : "n"));
        if (cuts.size() == 1 && Passes(at) > 1) cuts.push_back(passes);
      } else {
        cuts.push_back(TileCut(loop, extent, tile, count, rows ? "r" : "c", index_of(rows ? "m.b" : "n.b")));
      }
    }
    if (Passes(at) == 1) cuts.push_back(passes);
    cuts.push_back(TileCut("k.c", s_.k, piece, pieces, "k", index_of("k.b")));
    return cuts;
  }

  int64_t Accumulators(KnobValues at) const { return at[m_tile_] * at[n_vectors_]; }

  int64_t Stores(KnobValues at, int64_t unroll_k) const {
    const int64_t carriers = Passes(at) > 1 ? 3 : 1 + std::max(1, workload_.nodes_size() - 1);
    return Accumulators(at) * CountLeaves(Cuts(at, unroll_k)) * (unroll_k / products_ + carriers);
  }

  v1::Schedule Build(KnobValues at) const override {
    ScheduleBuilder b(implementation_, 1);
    if (s_.constant_a) b.TransformLayout("weight", PackedRows(0, 1, at), "packed");
    if (s_.constant_b) b.TransformLayout("weight", PackedColumns(0, 1, at), "packed");
    std::vector<std::string> axes = {"m", "n"};
    if (!s_.constant_b) axes.insert(axes.begin(), "b");
    const bool one_pass = Passes(at) == 1;
    OutputTile tile(workload_, axes, one_pass ? OutputTile::Passes::kOne : OutputTile::Passes::kSeveral, &b);
    if (at[pack_a_] != kUnpacked) PackA(at, b);
    if (at[pack_b_] != kUnpacked) PackB(at, b);

    const std::vector<EdgeCut> cuts = Cuts(at, at[unroll_k_]);
    const int64_t piece = Piece(at, at[unroll_k_]);
    b.Split("m", {0, at[m_block_], at[m_tile_]}, {"m.b", "m.o", "m.i"});
    b.Split("n", {0, at[n_block_], at[n_vectors_], unit_.lanes}, {"n.b", "n.o", "n.i", "n.v"});
    std::vector<int64_t> depths = {0, (at[k_block_] - 1) / piece + 1, piece / at[unroll_k_], at[unroll_k_] / products_};
    std::vector<std::string> depth_loops = {"k.b", "k.c", "k.o", "k.u"};
    if (products_ > 1) {
      depths.push_back(products_);
      depth_loops.push_back("k.p");
    }
    b.Split("k", depths, depth_loops);
    std::vector<std::string> loops;
    if (!s_.constant_b) loops.push_back("b");
    for (const EdgeCut& cut : cuts) loops.push_back(cut.loop);
    const std::vector<std::string> inner = {"k.u", "m.i", "n.i"};
    loops.push_back("k.o");
    loops.insert(loops.end(), inner.begin(), inner.end());
    loops.push_back("n.v");
    if (products_ > 1) loops.push_back("k.p");
    b.Reorder(loops);

    const std::string& tile_loop = kTileOrders[at[order_]].back();
    if (!one_pass) PlaceEpilogue(cuts[0].loop, tile, b);
    tile.PlaceAt(tile_loop, "k.b");
    for (const std::string& block : tile.blocks()) {
      UnrollTile(block, tile.Loop(block, "m"), tile.Loop(block, "n"), at, b);
    }
    for (const std::string& loop : inner) b.Unroll(loop);
    if (products_ == 1) {
      b.Vectorize("n.v");
    } else {
      b.Tensorize("n.v", "dot.4x4.s8");
    }
    if (at[pack_a_] != kUnpacked) PlacePackedA(at, b);
    if (at[pack_b_] != kUnpacked) PlacePackedB(at, b);
    const std::vector<std::string> tasks = TaskLoops(at, cuts, b);
    PartitionEdges(cuts, b);
    for (const std::string& loop : tasks) b.Parallel(loop);
    return b.schedule();
  }

  void UnrollTile(const std::string& block, const std::string& rows, const std::string& columns, KnobValues at,
                  ScheduleBuilder& b) const {
    const std::string vectors = absl::StrCat(block, ".n.i");
    const std::string vector = absl::StrCat(block, ".n.v");
    b.Split(columns, {at[n_vectors_], unit_.lanes}, {vectors, vector});
    b.Unroll(rows).Unroll(vectors).Vectorize(vector);
  }

  // Once per outer block, when all passes are summed up.
  void PlaceEpilogue(const std::string& outer_block, OutputTile& tile, ScheduleBuilder& b) const {
    const std::string epilogue = tile.PlaceEpilogueAt(outer_block);
    if (epilogue.empty()) return;
    const std::string columns = epilogue + ".n";
    b.Split(columns, {0, unit_.lanes}, {columns + ".o", columns + ".v"});
    b.Vectorize(columns + ".v");
  }

  // Dimensions of an operand: rows and columns follow the batch, if there is one; transposed ones are swapped.
  int Dimension(bool second, bool transposed) const { return (s_.constant_b ? 0 : 1) + (second != transposed ? 1 : 0); }
  // The loop that a packed copy is made in; "" for the root.
  std::string PackingLoop(int64_t knob, const std::string& axis, KnobValues at) const {
    const std::vector<std::string>& order = kTileOrders[at[order_]];
    if (knob == kPackTile) return axis + ".o";
    if (knob == kPackBlock) return order[0] == axis + ".b" && Passes(at) > 1 ? "k.b" : axis + ".b";
    return s_.constant_b ? "" : "b";
  }

  // Groups of m_tile rows; in a group, pieces of its rows side by side, so that a tile walks through memory and rows
  // that are a power of two apart do not evict each other. Rows of a transposed A are columns: element by element.
  void PackA(KnobValues at, ScheduleBuilder& b) const {
    const int m = Dimension(false, s_.ta);
    const int k = Dimension(true, s_.ta);
    b.CacheRead(anchor_, s_.constant_b ? "data" : "a", "workspace", "a.packed");
    std::vector<std::string> terms = PackedRows(m, k, at);
    if (!s_.constant_b) terms.insert(terms.begin(), "0");
    b.TransformLayout("a.packed", terms, "a.packed");
  }

  std::vector<std::string> PackedRows(int m, int k, KnobValues at) const {
    std::vector<std::string> terms = {absl::StrCat(m, "/", at[m_tile_]),
                                      s_.ta ? absl::StrCat(k) : absl::StrCat(k, "/", RowPiece()),
                                      absl::StrCat(m, "%", at[m_tile_])};
    if (!s_.ta) terms.push_back(absl::StrCat(k, "%", RowPiece()));
    return terms;
  }

  void PlacePackedA(KnobValues at, ScheduleBuilder& b) const {
    const std::string loop = PackingLoop(at[pack_a_], "m", at);
    if (!loop.empty()) b.ComputeAt("a.packed", loop);
    const std::string rows = absl::StrCat("a.packed.d", Dimension(false, s_.ta));
    const std::string depth = absl::StrCat("a.packed.d", Dimension(true, s_.ta));
    b.Split(rows, {0, at[m_tile_]}, {rows + ".o", rows + ".i"});
    if (s_.ta) {
      b.Reorder({rows + ".o", depth, rows + ".i"});
      if (s_.m > 1) b.Vectorize(rows + ".i");
    } else if (s_.k > 1) {
      b.Split(depth, {0, RowPiece()}, {depth + ".o", depth + ".v"});
      b.Vectorize(depth + ".v");
    }
    if (PacksInParallel(loop, at)) b.Parallel(rows + ".o");
  }

  // Panels of a tile's columns: for every k (or group of them), the vectors of the tile side by side.
  void PackB(KnobValues at, ScheduleBuilder& b) const {
    std::vector<std::string> terms = PackedColumns(Dimension(true, s_.tb), Dimension(false, s_.tb), at);
    terms.insert(terms.begin(), "0");
    b.CacheRead(anchor_, s_.constant_a ? "data" : "b", "workspace", "b.packed");
    b.TransformLayout("b.packed", terms, "b.packed");
  }

  std::vector<std::string> PackedColumns(int n, int k, KnobValues at) const {
    const std::string tile = absl::StrCat(n, "/", Width(at));
    const std::string column = absl::StrCat(n, "%", Width(at));
    if (products_ == 1) return {tile, absl::StrCat(k), column};
    return {tile, absl::StrCat(k, "/", products_), column, absl::StrCat(k, "%", products_)};
  }

  void PlacePackedB(KnobValues at, ScheduleBuilder& b) const {
    const std::string loop = PackingLoop(at[pack_b_], "n", at);
    b.ComputeAt("b.packed", loop);
    const std::string column = absl::StrCat("b.packed.d", Dimension(true, s_.tb));
    const std::string row = absl::StrCat("b.packed.d", Dimension(false, s_.tb));
    b.Split(column, {0, at[n_vectors_], unit_.lanes}, {column + ".o", column + ".i", column + ".v"});
    if (products_ > 1) {
      b.Split(row, {0, products_}, {row + ".o", row + ".v"});
      b.Reorder({column + ".o", row + ".o", column + ".i", column + ".v", row + ".v"});
      b.Vectorize(row + ".v");
    } else if (s_.tb && s_.dtype == v1::DATA_TYPE_FLOAT32 && unit_.lanes >= 8 && s_.n % unit_.lanes == 0 &&
               s_.k % unit_.lanes == 0) {
      b.Split(row, {0, unit_.lanes}, {row + ".o", row + ".v"});
      b.Reorder({column + ".o", row + ".o", column + ".i", column + ".v", row + ".v"});
      b.Tensorize(column + ".v", absl::StrCat("transpose.", unit_.lanes, "x", unit_.lanes, ".f32"));
    } else {
      b.Reorder({column + ".o", row, column + ".i", column + ".v"});
      b.Unroll(column + ".i");
      if (s_.n > 1) b.Vectorize(column + ".v");  // a single column is in no index: its lanes would seem to collide
    }
    if (PacksInParallel(loop, at)) b.Parallel(column + ".o");
  }

  // Whether a copy made in the loop (the root: "") is shared by tasks rather than made by them.
  bool PacksInParallel(const std::string& loop, KnobValues at) const {
    if (at[parallel_] == kSerial || s_.batch > 1) return false;
    if (loop.empty() || loop == "b") return true;
    const std::vector<std::string>& order = kTileOrders[at[order_]];
    return at[parallel_] == kInnerBlocks && (loop == order[0] || loop == "k.b");
  }

  // Fuses what becomes parallel, and names the loops that will after partition.
  std::vector<std::string> TaskLoops(KnobValues at, const std::vector<EdgeCut>& cuts, ScheduleBuilder& b) const {
    if (at[parallel_] == kSerial) return {};
    if (at[parallel_] == kOutermost) return s_.batch > 1 ? std::vector<std::string>{"b"} : PartLoops(cuts[0]);
    if (at[parallel_] == kInnerBlocks) return PartLoops(cuts, Passes(at) == 1 ? 1 : 2);
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
    const double depth_bytes = static_cast<double>(bytes_ * at[k_block_]);
    return {static_cast<double>(Accumulators(at)) / unit_.registers,
            m * at[n_vectors_] / (m + at[n_vectors_]),
            std::log2(1 + depth_bytes * n / unit_.l1_bytes),
            std::log2(1 + depth_bytes * m / unit_.l1_bytes),
            std::log2(1 + depth_bytes * n * at[n_block_] / unit_.l2_bytes),
            std::log2(1 + depth_bytes * m * at[m_block_] / unit_.l2_bytes),
            std::log2(Stores(at, at[unroll_k_])),
            static_cast<double>(s_.m) * s_.n / (m_tiles * m * n_tiles * n),
            std::log2(m_tiles / at[m_block_] + 1),
            std::log2(n_tiles / at[n_block_] + 1),
            std::log2(Passes(at))};
  }

  std::optional<DraftCost> Draft(KnobValues at) const override {
    const auto m = static_cast<double>(at[m_tile_]);
    const auto n = static_cast<double>(Width(at));
    const double m_tiles = std::ceil(s_.m / m);
    const double n_tiles = std::ceil(s_.n / n);
    const double m_blocks = std::ceil(m_tiles / at[m_block_]);
    const double n_blocks = std::ceil(n_tiles / at[n_block_]);
    const auto vectors = static_cast<double>(at[n_vectors_]);
    DraftCost cost{.accumulators = m * vectors, .loads = m + vectors, .threads = unit_.threads};
    const double batch = s_.batch;
    cost.steps = batch * m_tiles * n_tiles * s_.k / products_;
    cost.turns = cost.steps * products_ / at[unroll_k_];

    // In each pass, the inner loop over tiles goes through a block of one operand for every tile of the other.
    const std::vector<std::string>& order = kTileOrders[at[order_]];
    const bool rows_inside = order[3] == "m.o";
    const bool rows_outermost = order[0] == "m.b";
    const double a_bytes = bytes_ * m_tiles * m * s_.k;
    const double b_bytes = bytes_ * n_tiles * n * s_.k;
    const double depth_bytes = static_cast<double>(bytes_ * at[k_block_]);
    const double swept_block = depth_bytes * (rows_inside ? m * at[m_block_] : n * at[n_block_]);
    const double swept = rows_inside ? a_bytes * n_tiles : b_bytes * m_tiles;
    const double kept = rows_inside ? b_bytes * m_blocks : a_bytes * n_blocks;
    cost.l2_bytes = batch * (kept + (swept_block > unit_.l1_bytes ? swept : 0));
    if (a_bytes + b_bytes > unit_.l2_bytes) {
      const double streamed = rows_outermost ? a_bytes + b_bytes * m_blocks : b_bytes + a_bytes * n_blocks;
      cost.l3_bytes = batch * (swept_block > unit_.l2_bytes ? swept + kept : streamed);
    }
    if (Passes(at) > 1) cost.l2_bytes += 2 * batch * Passes(at) * bytes_ * s_.m * s_.n;
    const double outer = rows_outermost ? m_blocks : n_blocks;
    const double inner = rows_outermost ? n_blocks : m_blocks;
    if (at[parallel_] == kOutermost) cost.tasks = batch > 1 ? batch : outer;
    if (at[parallel_] == kOuterTwo) cost.tasks = batch > 1 ? batch * outer : outer * inner;
    if (at[parallel_] == kInnerBlocks) cost.tasks = inner;
    return cost;
  }

  const v1::Workload workload_;
  const MatmulShape s_;
  const std::string implementation_;
  const VectorUnit unit_;
  const std::string anchor_;
  const int64_t bytes_;     // of an operand's element
  const int64_t products_;  // that one instruction adds to each lane
  Knob n_vectors_, m_tile_, k_block_, m_block_, n_block_, order_, pack_a_, pack_b_, unroll_k_, parallel_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeMatmulPackedSpace(const v1::Workload& workload,
                                                                     const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(const MatmulShape shape, MatmulShapeOf(workload));
  TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, "direct", 1));
  return std::make_unique<MatmulPackedSpace>(workload, shape, "matmul.packed", "direct", VectorUnitOf(target),
                                             std::move(fresh));
}

absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakePointwiseMatmulSpace(const v1::Workload& workload,
                                                                        const MatmulShape& shape,
                                                                        const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, "matmul", 1));
  return std::make_unique<MatmulPackedSpace>(workload, shape, "conv2d.matmul", "matmul", VectorUnitOf(target),
                                             std::move(fresh));
}

}  // namespace tunefleet::codegen
