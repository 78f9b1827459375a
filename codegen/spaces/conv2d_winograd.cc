#include "codegen/spaces/conv2d_winograd.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/winograd.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/channel_lanes.h"
#include "codegen/spaces/edge_parts.h"
#include "codegen/spaces/knob_space.h"
#include "codegen/spaces/vector_unit.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMostStores = 600;  // unrolled in the multiplication
constexpr int kMostTilesAlongAxis = 32;

class Conv2dWinogradSpace : public KnobSpace {
 public:
  Conv2dWinogradSpace(v1::Workload workload, const Conv2dShape& shape, const WinogradTransform& transform,
                      const VectorUnit& unit, LoopNest fresh)
      : KnobSpace(absl::StrCat(unit.family, ".conv2d.", WinogradName(transform)), 6, std::move(fresh)),
        workload_(std::move(workload)),
        s_(shape),
        implementation_(WinogradName(transform)),
        m_(transform.m),
        a_(transform.a),
        rows_((shape.OutputHeight() + m_ - 1) / m_),
        columns_((shape.OutputWidth() + m_ - 1) / m_),
        unit_(unit),
        out_(ChannelLanesOf(shape.co, shape.channel_block, unit)),
        in_(ChannelLanesOf(shape.ci, shape.input_block, unit)) {
    DeclareKnobs();
  }

 private:
  void DeclareKnobs() {
    KnobList& knobs = knob_list();
    // A block of tiles.
    block_columns_ = knobs.Add("block_columns", Those(DivisorsUpTo(columns_, columns_), [this](int64_t columns) {
                                 return PatchBytes(columns) <= 2 * unit_.l2_bytes;
                               }));
    block_rows_ = knobs.Add("block_rows", [this](KnobValues at) {
      return Those(DivisorsUpTo(rows_, rows_),
                   [&](int64_t rows) { return PatchBytes(rows * at[block_columns_]) <= 2 * unit_.l2_bytes; });
    });
    block_channels_ = knobs.Add("block_channels", DivisorsUpTo(out_.groups, out_.groups));
    // The register tile of the multiplication.
    const auto fits = [this](int64_t groups, int64_t tiles) {
      return unit_.Fits(groups * out_.vectors * tiles, groups * out_.vectors);
    };
    tile_channels_ = knobs.Add("tile_channels", [=, this](KnobValues at) {
      return Those(DivisorsUpTo(at[block_channels_], 8), [&](int64_t groups) { return fits(groups, 1); });
    });
    tile_columns_ = knobs.Add("tile_columns", [=, this](KnobValues at) {
      return Those(DivisorsUpTo(at[block_columns_], kMostTilesAlongAxis),
                   [&](int64_t columns) { return fits(at[tile_channels_], columns); });
    });
    tile_rows_ = knobs.Add("tile_rows", [=, this](KnobValues at) {
      return Those(DivisorsUpTo(at[block_rows_], kMostTilesAlongAxis),
                   [&](int64_t rows) { return fits(at[tile_channels_], rows * at[tile_columns_]); });
    });
    unroll_channels_ = knobs.Add("unroll_channels", [this](KnobValues at) {
      return Those(DivisorsUpTo(s_.input_block, 16), [&](int64_t unroll) {
        return Accumulators(at) * unroll * CountLeaves(ReductionCuts(unroll)) <= kMostStores;
      });
    });
    order_ = knobs.Add("order", {0, 1});  // register tiles: channels outside, or tiles
    // Innermost over tiles of a channel group, or the other way round.
    inner_ = knobs.Add("inner", [this](KnobValues at) {
      return unit_.InnerLoops(at[tile_channels_] * out_.vectors, at[tile_columns_] * at[tile_rows_]);
    });
    parallel_ = knobs.Add("parallel", [this](KnobValues at) {  // 0: none, 1: blocks of tiles, 2: of output channels
      std::vector<int64_t> values = {0};
      if (unit_.threads == 1) return values;
      if (s_.n * rows_ * columns_ > at[block_rows_] * at[block_columns_]) values.push_back(1);
      if (out_.groups > at[block_channels_]) values.push_back(2);
      return values;
    });
    // Transform tile by tile, or channel block by channel block, which all threads share in.
    input_order_ = knobs.Add("input_order", [this](KnobValues at) {
      return at[parallel_] == 2 ? std::vector<int64_t>{1} : std::vector<int64_t>{0, 1};
    });
    output_order_ = knobs.Add("output_order", {0, 1});            // the same for the output
    unroll_transforms_ = knobs.Add("unroll_transforms", {0, 1});  // the columns, then rows, of a tile; rows always are
    prefetch_ = knobs.Add("prefetch", unit_.PrefetchDistances(FilterBytes()));
  }

  int64_t Accumulators(KnobValues at) const {
    return at[tile_channels_] * out_.vectors * at[tile_columns_] * at[tile_rows_];
  }
  std::vector<EdgeCut> ReductionCuts(int64_t unroll) const {
    return ChannelCuts("multiply.ci", "ml.o", s_.ci, s_.input_block, unroll);
  }
  int64_t FilterBytes() const { return 4 * a_ * a_ * s_.ci * s_.co; }
  // Transformed inputs of so many tiles.
  int64_t PatchBytes(int64_t tiles) const { return 4 * a_ * a_ * tiles * in_.groups * s_.input_block; }

  v1::Schedule Build(KnobValues at) const override {
    ScheduleBuilder b(implementation_, 1);
    TransformFilter(b);

    std::string last = "conv2d";
    std::string prefix;
    for (int i = 1; i < workload_.nodes_size(); ++i) {
      b.ComputeInline(last);
      last = workload_.nodes(i).kind();
      prefix = last + "_";
    }
    b.Split(prefix + "oh", {0, at[block_rows_], m_}, {"oh.b", "oh.t", "oh.i"});
    b.Split(prefix + "ow", {0, at[block_columns_], m_}, {"ow.b", "ow.t", "ow.i"});
    b.Split(prefix + "co", {0, at[block_channels_]}, {"co.b", "co.t"});
    const Lanes c = SplitLanes(prefix + "c", out_, b);
    std::vector<std::string> loops = {prefix + "n", "oh.b", "ow.b", "co.b"};
    Append(at[output_order_] == 0 ? std::vector<std::string>{"co.t", "oh.t", "ow.t"}
                                  : std::vector<std::string>{"oh.t", "ow.t", "co.t"},
           &loops);
    Append(c.outer, &loops);
    const std::string tile_loop = loops.back();
    Append({"oh.i", "ow.i", c.vector}, &loops);
    b.Reorder(loops);

    b.ComputeAt("tile_rows", tile_loop);
    b.SetScope("tile_rows", "local");
    Unroll({"ow.i", "tile_rows.i"}, b);
    if (at[unroll_transforms_] == 1) Unroll({"oh.i", "tile_rows.nu"}, b);
    b.Vectorize(c.vector);
    b.Vectorize("tile_rows.c");

    Multiply(at, b);
    TransformInput(at, b);
    if (at[prefetch_] > 0) b.Prefetch("filter", at[prefetch_]);
    if (at[parallel_] == 1) {
      b.Fuse({prefix + "n", "oh.b", "ow.b"}, "task");
      b.Parallel("task");
    } else if (at[parallel_] == 2) {
      b.Parallel("co.b");
    }
    return b.schedule();
  }

  static void Append(const std::vector<std::string>& more, std::vector<std::string>* loops) {
    loops->insert(loops->end(), more.begin(), more.end());
  }
  static void Unroll(const std::vector<std::string>& loops, ScheduleBuilder& b) {
    for (const std::string& loop : loops) b.Unroll(loop);
  }

  // A loop over the channels of a block as vectors: the loop around them, if there are several, and the vector.
  struct Lanes {
    std::vector<std::string> outer;
    std::string vector;
  };
  static Lanes SplitLanes(const std::string& loop, const ChannelLanes& lanes, ScheduleBuilder& b) {
    if (lanes.vectors == 1) return {{}, loop};
    b.Split(loop, {0, lanes.width}, {loop + ".o", loop + ".v"});
    return {{loop + ".o"}, loop + ".v"};
  }

  void TransformFilter(ScheduleBuilder& b) const {
    const Lanes c = SplitLanes("filter_c", out_, b);
    std::vector<std::string> loops = {"filter_co", "filter_ci", "filter_l"};
    Append(c.outer, &loops);
    const std::string around = loops.back();
    Append({"filter_xi", "filter_nu", c.vector}, &loops);
    b.Reorder(loops);
    b.ComputeAt("filter_rows", around);
    b.SetScope("filter_rows", "local");
    b.Reorder({"filter_rows.kw", "filter_rows.xi", "filter_rows.c"});
    b.Vectorize(c.vector);
    b.Vectorize("filter_rows.c");
  }

  // Dimensions of products: xi, nu, n, th, tw, co, c.
  void Multiply(KnobValues at, ScheduleBuilder& b) const {
    b.CacheWrite("multiply", "products", "local", "acc");
    b.ComputeAt("acc.out", "co.b");
    b.Split("acc.out.d3", {0, at[tile_rows_]}, {"th.o", "th.i"});
    b.Split("acc.out.d4", {0, at[tile_columns_]}, {"tw.o", "tw.i"});
    b.Split("acc.out.d5", {0, at[tile_channels_]}, {"mo.o", "mo.i"});
    const Lanes carried = SplitLanes("acc.out.d6", out_, b);
    std::vector<std::string> loops = {"acc.out.d0", "acc.out.d1", "acc.out.d2"};
    Append(at[order_] == 0 ? std::vector<std::string>{"mo.o", "th.o", "tw.o"}
                           : std::vector<std::string>{"th.o", "tw.o", "mo.o"},
           &loops);
    const std::string around = loops.back();
    std::vector<std::string> unrolled = {"mo.i"};
    Append(carried.outer, &unrolled);
    Append({"th.i", "tw.i"}, &unrolled);
    Append(unrolled, &loops);
    Append({carried.vector}, &loops);
    b.Reorder(loops);

    b.ComputeAt("multiply", around);
    b.Split("multiply.l", {0, at[unroll_channels_]}, {"ml.o", "ml.u"});
    const Lanes c = SplitLanes("multiply.c", out_, b);
    std::vector<std::string> channels = {"multiply.co"};
    Append(c.outer, &channels);
    const std::vector<std::string> tiles = {"multiply.th", "multiply.tw"};
    std::vector<std::string> body = at[inner_] == 0 ? channels : tiles;
    Append(at[inner_] == 0 ? tiles : channels, &body);
    std::vector<std::string> reduction = {"multiply.ci", "ml.o", "ml.u"};
    Append(body, &reduction);
    Append({c.vector}, &reduction);
    b.Reorder(reduction);
    b.DecomposeReduction("multiply", "multiply.ci", "init");
    const Lanes cleared = SplitLanes("init.c", out_, b);
    Append({"ml.u"}, &unrolled);
    Append(body, &unrolled);
    Append({"init.th", "init.tw", "init.co"}, &unrolled);
    Append(cleared.outer, &unrolled);
    Unroll(unrolled, b);
    for (const std::string& vector : {carried.vector, c.vector, cleared.vector}) b.Vectorize(vector);
    const std::vector<EdgeCut> cuts = ReductionCuts(at[unroll_channels_]);
    if (!cuts.empty()) PartitionEdges(cuts, b);
  }

  void TransformInput(KnobValues at, ScheduleBuilder& b) const {
    b.ComputeAt("patches", "ow.b");
    const Lanes l = SplitLanes("patches.l", in_, b);
    std::vector<std::string> loops =
        at[input_order_] == 0 ? std::vector<std::string>{"patches.n", "patches.th", "patches.tw", "patches.ci"}
                              : std::vector<std::string>{"patches.n", "patches.ci", "patches.th", "patches.tw"};
    Append(l.outer, &loops);
    const std::string around = loops.back();
    Append({"patches.xi", "patches.nu", l.vector}, &loops);
    b.Reorder(loops);
    b.ComputeAt("patch_rows", around);
    b.SetScope("patch_rows", "local");
    b.ComputeAt("patch", "patch_rows.j");
    b.SetScope("patch", "local");
    Unroll({"patches.nu", "patch_rows.xi", "patch.i"}, b);
    if (at[unroll_transforms_] == 1) Unroll({"patches.xi", "patch_rows.j"}, b);
    for (const std::string& vector : {l.vector, std::string("patch_rows.l"), std::string("patch.l")}) {
      b.Vectorize(vector);
    }
    if (at[parallel_] == 2) b.Parallel("patches.ci");  // what all tasks read is made by all of them
  }

  double Tasks(KnobValues at) const {
    if (at[parallel_] == 0) return 1;
    if (at[parallel_] == 2) return static_cast<double>(out_.groups) / at[block_channels_];
    return static_cast<double>(s_.n * rows_ * columns_) / (at[block_columns_] * at[block_rows_]);
  }

  std::vector<double> Derived(KnobValues at) const override {
    const double accumulators = Accumulators(at);
    const double weights = at[tile_channels_] * out_.vectors;
    const double tiles = at[tile_columns_] * at[tile_rows_];
    const double block_tiles = at[block_columns_] * at[block_rows_];
    const double blocks = s_.n * rows_ * columns_ / block_tiles;
    const double patch_bytes = static_cast<double>(PatchBytes(1)) * block_tiles;
    const double product_bytes = 4.0 * a_ * a_ * block_tiles * at[block_channels_] * s_.channel_block;
    const auto filter_bytes = static_cast<double>(FilterBytes());
    const double panel_bytes = 4.0 * weights * out_.width * s_.ci;
    const double computed = rows_ * columns_ * m_ * m_;
    const double tasks = Tasks(at);
    return {accumulators / unit_.registers,
            accumulators / (weights + tiles),
            std::log2(1 + patch_bytes / unit_.l2_bytes),
            std::log2(1 + product_bytes / unit_.l2_bytes),
            std::log2(1 + (patch_bytes + product_bytes) / unit_.l2_bytes),
            std::log2(1 + filter_bytes / unit_.l2_bytes),
            std::log2(1 + filter_bytes * blocks / unit_.l2_bytes),
            std::log2(1 + panel_bytes / unit_.l1_bytes),
            std::log2(1 + 4 * tiles * s_.ci / unit_.l1_bytes),
            std::log2(1 + 4 * block_tiles * s_.ci / unit_.l1_bytes),
            s_.OutputHeight() * s_.OutputWidth() / computed,
            tasks / (std::ceil(tasks / unit_.threads) * unit_.threads)};
  }

  // The multiplication alone: what the transforms cost hardly depends on the knobs.
  std::optional<DraftCost> Draft(KnobValues at) const override {
    const auto vectors = static_cast<double>(at[tile_channels_] * out_.vectors);
    const auto tiles = static_cast<double>(at[tile_columns_] * at[tile_rows_]);
    const auto block_tiles = static_cast<double>(at[block_columns_] * at[block_rows_]);
    const auto all_tiles = static_cast<double>(s_.n * rows_ * columns_);
    const double channel_tiles = static_cast<double>(out_.groups) / at[tile_channels_];
    const auto channels = static_cast<double>(in_.groups * s_.input_block);
    const auto points = static_cast<double>(a_ * a_);
    const double channel_blocks = static_cast<double>(out_.groups) / at[block_channels_];

    const double panel_bytes = 4 * vectors * out_.width * channels;  // of the filter, for one register tile
    const double input_bytes = 4 * tiles * channels;
    const double filter_bytes = points * panel_bytes * channel_tiles;
    const auto block_input_bytes = static_cast<double>(PatchBytes(1)) * block_tiles;
    const double block_product_bytes =
        4 * points * block_tiles * static_cast<double>(at[block_channels_] * s_.channel_block);
    // What the inner loop over register tiles goes through is read anew in every iteration of the outer one.
    const double sweeps_of_filter = at[order_] == 0 ? 1 : block_tiles / tiles;
    const double sweeps_of_inputs = at[order_] == 0 ? channel_tiles : channel_blocks;
    const double filter_reads = panel_bytes > unit_.l1_bytes ? block_tiles / tiles : sweeps_of_filter;
    const double input_reads = input_bytes > unit_.l1_bytes ? channel_tiles : sweeps_of_inputs;

    DraftCost cost{.accumulators = vectors * tiles, .loads = vectors + tiles, .threads = unit_.threads};
    cost.steps = points * all_tiles / tiles * channel_tiles * channels;
    cost.turns = cost.steps / at[unroll_channels_];
    const double blocks = all_tiles / block_tiles;
    cost.l2_bytes = filter_bytes * blocks * filter_reads + block_input_bytes * blocks * input_reads;
    if (filter_bytes > unit_.l2_bytes) cost.l3_bytes += filter_bytes * blocks;
    if (block_input_bytes + block_product_bytes > unit_.l2_bytes) {
      cost.l3_bytes += blocks * (block_input_bytes * (1 + channel_blocks) + 2 * block_product_bytes * channel_blocks);
    }
    cost.tasks = Tasks(at);
    return cost;
  }

  const v1::Workload workload_;
  const Conv2dShape s_;
  const std::string implementation_;
  const int64_t m_;
  const int64_t a_;
  const int64_t rows_;     // of tiles
  const int64_t columns_;  // of tiles
  const VectorUnit unit_;
  const ChannelLanes out_;
  const ChannelLanes in_;
  Knob block_columns_, block_rows_, block_channels_, tile_channels_, tile_columns_, tile_rows_, unroll_channels_,
      order_, inner_, input_order_, output_order_, unroll_transforms_, prefetch_, parallel_;
};

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<ScheduleSpace>>> MakeConv2dWinogradSpaces(const v1::Workload& workload,
                                                                                     const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  std::vector<std::unique_ptr<ScheduleSpace>> spaces;
  for (const WinogradTransform& transform : WinogradTransforms()) {
    if (!WinogradApplies(shape, transform)) continue;
    TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, WinogradName(transform), 1));
    spaces.push_back(
        std::make_unique<Conv2dWinogradSpace>(workload, shape, transform, VectorUnitOf(target), std::move(fresh)));
  }
  return spaces;
}

}  // namespace tunefleet::codegen
