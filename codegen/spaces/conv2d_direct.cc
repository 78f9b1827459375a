#include "codegen/spaces/conv2d_direct.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/channel_lanes.h"
#include "codegen/spaces/cut_convolution.h"
#include "codegen/spaces/edge_parts.h"
#include "codegen/spaces/knob_space.h"
#include "codegen/spaces/output_tile.h"
#include "codegen/spaces/vector_unit.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMostStores = 640;  // unrolled: keeps a build at some tens of milliseconds

// Fewer leave multiply-adds waiting for each other; whole rows of an image may be worth a few.
constexpr int64_t kEnoughAccumulators = 6;

// Values of knob "edge": what happens to taps on the padding and to tails.
constexpr int64_t kEdgeBranch = 0;     // a branch at every tap or output that may fall outside
constexpr int64_t kEdgePartition = 1;  // tiles at the edge are programs of their own, that skip taps when compiled
constexpr int64_t kEdgePad = 2;        // the input is copied with a border of zeros; tails as above

// Loops over output tiles, outermost first. Index: knob "order".
const std::vector<std::string> kTileOrders[] = {
    {"co.o", "oh.o", "ow.o"}, {"oh.o", "co.o", "ow.o"}, {"oh.o", "ow.o", "co.o"}, {"co.o", "ow.o", "oh.o"}};

// Reduction loops, outermost first, and the order of the packed weight's dimensions inside a channel tile that walks
// memory forwards ("/" and "%": quotient and remainder of the input channel by the packing block). Index: knob
// "reduce". In the first three the packing block is the input's channel block, else what is unrolled of it.
struct ReductionOrder {
  std::vector<std::string> loops;
  std::vector<std::string> packed;
};
const ReductionOrder kReductionOrders[] = {{{"ci.o", "kh", "kw", "l.o"}, {"/", "kh", "kw", "%"}},
                                           {{"kh", "ci.o", "kw", "l.o"}, {"kh", "/", "kw", "%"}},
                                           {{"kh", "kw", "ci.o", "l.o"}, {"kh", "kw", "/", "%"}},
                                           {{"ci.o", "l.o", "kh", "kw"}, {"/", "kh", "kw", "%"}},
                                           {{"kh", "ci.o", "l.o", "kw"}, {"kh", "/", "kw", "%"}}};

class Conv2dDirectSpace : public KnobSpace {
 public:
  Conv2dDirectSpace(v1::Workload workload, const Conv2dShape& shape, const VectorUnit& unit, LoopNest fresh)
      : KnobSpace(absl::StrCat(unit.family, ".conv2d.direct"), 5, std::move(fresh)),
        workload_(std::move(workload)),
        s_(shape),
        unit_(unit),
        lanes_(ChannelLanesOf(shape.co, shape.channel_block, unit)),
        bytes_(OperandBytes(shape.dtype)),
        products_(lanes_.plain || shape.input_block == 0 ? 1 : ProductsPerLane(unit, shape.dtype)) {
    DeclareKnobs();
  }

 private:
  void DeclareKnobs() {
    KnobList& knobs = knob_list();
    // Of a channel block, each in tiles of its own. Vectors of dot products take the whole block.
    parts_ = knobs.Add("parts", products_ > 1 ? std::vector<int64_t>{1} : DivisorsUpTo(lanes_.vectors, lanes_.vectors));
    // The accumulators of the largest tile that fits the registers.
    const auto most = [this](int64_t vectors, int64_t rows, int64_t columns) {
      while (columns > 1 && !unit_.Fits(vectors * rows * columns, vectors)) --columns;
      return vectors * rows * columns;
    };
    const auto fits = [this](int64_t vectors, int64_t pixels) { return unit_.Fits(vectors * pixels, vectors); };
    const int64_t rows = std::min<int64_t>(8, s_.OutputHeight());
    const int64_t columns = std::min<int64_t>(32, s_.OutputWidth());
    oc_tile_ = knobs.Add("oc_tile", [=, this](KnobValues at) {
      if (at[parts_] > 1) return std::vector<int64_t>{1};
      const std::vector<int64_t> fitting =
          Those(UpTo(std::min<int64_t>(8, lanes_.groups)), [&](int64_t oc) { return fits(oc * lanes_.vectors, 1); });
      return Rated(fitting, kEnoughAccumulators, [&](int64_t oc) {
        int64_t accumulators = 0;
        for (int64_t oh = 1; oh <= rows && fits(oc * lanes_.vectors, oh); ++oh) {
          accumulators = std::max(accumulators, most(oc * lanes_.vectors, oh, columns));
        }
        return accumulators;
      });
    });
    oh_tile_ = knobs.Add("oh_tile", [=, this](KnobValues at) {
      const std::vector<int64_t> fitting = Those(UpTo(rows), [&](int64_t oh) { return fits(Vectors(at), oh); });
      return Rated(fitting, kEnoughAccumulators, [&](int64_t oh) { return most(Vectors(at), oh, columns); });
    });
    ow_tile_ = knobs.Add("ow_tile", [=, this](KnobValues at) {
      const std::vector<int64_t> fitting =
          Those(UpTo(columns), [&](int64_t ow) { return fits(Vectors(at), at[oh_tile_] * ow); });
      return Rated(fitting, kEnoughAccumulators, [&](int64_t ow) { return Vectors(at) * at[oh_tile_] * ow; });
    });
    edge_ = knobs.Add("edge", [this](KnobValues at) {
      std::vector<int64_t> values = {kEdgeBranch};
      const bool padded = s_.ph > 0 || s_.pw > 0;
      if (padded || HasTail(at)) values.push_back(kEdgePartition);
      if (padded) values.push_back(kEdgePad);
      values = Those(values, [&](int64_t edge) { return Stores(at, edge, products_, 0) <= kMostStores; });
      // Branches around outputs stand between the steps of a tile, whose registers are spilled for them.
      const bool apart = std::find(values.begin(), values.end(), kEdgePartition) != values.end();
      if (apart && HasTail(at)) std::erase(values, kEdgeBranch);
      return values;
    });
    unroll_channels_ = knobs.Add("unroll_channels", [this](KnobValues at) {
      std::vector<int64_t> values = DivisorsUpTo(InputLanes(), 16);
      std::erase_if(values, [this](int64_t channels) { return channels % products_ != 0; });
      return Those(values, [&](int64_t unroll) { return Stores(at, at[edge_], unroll, 0) <= kMostStores; });
    });
    unroll_taps_ = knobs.Add("unroll_taps", [this](KnobValues at) {  // 0: none, 1: kw, 2: kh and kw
      std::vector<int64_t> values = {0};
      if (s_.kw > 1) values.push_back(1);
      if (s_.kh > 1) values.push_back(2);
      return Those(values,
                   [&](int64_t taps) { return Stores(at, at[edge_], at[unroll_channels_], taps) <= kMostStores; });
    });
    reduce_ = knobs.Add("reduce", s_.kh * s_.kw == 1                     ? std::vector<int64_t>{0}
                                  : s_.input_block == 0 || products_ > 1 ? std::vector<int64_t>{0, 1, 2}
                                                                         : std::vector<int64_t>{0, 1, 2, 3, 4});
    // Cache blocks: input channels of a pass and tiles of output channels whose weights stay near. Blocked inputs are
    // counted in blocks.
    ci_block_ = knobs.Add("ci_block", [this](KnobValues at) {
      std::vector<int64_t> values = {InputBlocks()};
      if (!ReductionCuts(at[unroll_channels_]).empty()) return values;
      const int64_t step = s_.input_block == 0 ? at[unroll_channels_] : 1;
      AddLargestDivisor(InputBlocks(), step, unit_.l1_bytes / (2 * BlockWeightBytes(at)), &values);
      AddLargestDivisor(InputBlocks(), step, unit_.l2_bytes / (2 * BlockWeightBytes(at)), &values);
      return values;
    });
    oc_block_ = knobs.Add("oc_block", [this](KnobValues at) {
      std::vector<int64_t> values = {Tiles(at)};
      if (lanes_.groups % at[oc_tile_] != 0) return values;
      const int64_t tile_bytes = BlockWeightBytes(at) * at[ci_block_];
      AddLargestDivisor(Tiles(at), 1, unit_.l2_bytes / (2 * tile_bytes), &values);
      AddLargestDivisor(Tiles(at), 1, unit_.l3_bytes / (2 * tile_bytes), &values);
      return values;
    });
    order_ = knobs.Add("order", {0, 1, 2, 3});
    // Innermost over pixels of a channel group, or the other way round.
    inner_ = knobs.Add("inner",
                       [this](KnobValues at) { return unit_.InnerLoops(Vectors(at), at[oh_tile_] * at[ow_tile_]); });
    // Pixels as memory operands of the multiply-adds of several vectors, as far as load ports have room.
    fold_ = knobs.Add("fold", [this](KnobValues at) {
      const bool shared = unit_.broadcast_operand && products_ == 1 && Vectors(at) > 1 && at[inner_] == 1;
      return shared ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{0};
    });
    interleave_ = knobs.Add("interleave", [this](KnobValues at) {  // weights of a tile's channel groups side by side
      return at[oc_tile_] == 1 ? std::vector<int64_t>{0} : std::vector<int64_t>{0, 1};
    });
    prefetch_ = knobs.Add("prefetch", unit_.PrefetchDistances(bytes_ * s_.ci * s_.co * s_.kh * s_.kw));
    pad_at_ = knobs.Add("pad_at", [this](KnobValues at) {  // the padded copy: 0: made first, 1: row tile by row tile
      return at[edge_] == kEdgePad ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{0};
    });
    // 0: none, 1: blocks of output channels or else the outermost tile loop, 2: the outer two
    parallel_ = knobs.Add("parallel", [this](KnobValues at) {
      std::vector<int64_t> values = {0};
      if (unit_.threads == 1) return values;
      if (BlocksOutputs(at)) return std::vector<int64_t>{0, 1};
      const std::vector<EdgeCut> cuts = Cuts(at, at[edge_], at[order_], GroupsInside(at));
      const bool fusable = cuts[0].parts.size() == 1;  // a loop that is cut cannot be fused with another
      if (s_.n == 1 || fusable || Passes(at) > 1) values.push_back(1);
      if (fusable && cuts[1].parts.size() == 1 && at[pad_at_] == 0) values.push_back(2);
      return values;
    });
  }

  // Channels of one input block, or all plain input channels: what unroll_channels divides.
  int64_t InputLanes() const { return s_.input_block == 0 ? s_.ci : s_.input_block; }

  // Of output channels in a register tile.
  int64_t Vectors(KnobValues at) const { return at[oc_tile_] * lanes_.vectors / at[parts_]; }

  // What ci_block counts, and how much weight one of them has in a tile.
  int64_t InputBlocks() const { return s_.input_block == 0 ? s_.ci : (s_.ci + s_.input_block - 1) / s_.input_block; }
  int64_t BlockWeightBytes(KnobValues at) const {
    const int64_t channels = std::max<int64_t>(1, s_.input_block);
    return bytes_ * Vectors(at) * lanes_.width * channels * s_.kh * s_.kw;
  }
  int64_t Passes(KnobValues at) const { return InputBlocks() / at[ci_block_]; }

  int64_t Tiles(KnobValues at) const { return (lanes_.groups + at[oc_tile_] - 1) / at[oc_tile_]; }
  bool BlocksOutputs(KnobValues at) const { return at[oc_block_] < Tiles(at); }

  // Channel groups that the tile loops run over, inside blocks where there are any.
  int64_t GroupsInside(KnobValues at) const { return BlocksOutputs(at) ? at[oc_block_] * at[oc_tile_] : lanes_.groups; }

  // The largest divisor of `count` that is a multiple of `step` and at most `last`, if there is one, in its place.
  static void AddLargestDivisor(int64_t count, int64_t step, int64_t last, std::vector<int64_t>* values) {
    const std::vector<int64_t> divisors = DivisorsUpTo(count, std::max<int64_t>(1, last));
    for (auto at = divisors.rbegin(); at != divisors.rend(); ++at) {
      if (*at % step != 0 || *at > last) continue;
      const auto place = std::lower_bound(values->begin(), values->end(), *at);
      if (place == values->end() || *place != *at) values->insert(place, *at);
      return;
    }
  }

  bool HasTail(KnobValues at) const {
    return lanes_.groups % at[oc_tile_] != 0 || s_.OutputHeight() % at[oh_tile_] != 0 ||
           s_.OutputWidth() % at[ow_tile_] != 0;
  }

  std::vector<EdgeCut> ReductionCuts(int64_t unroll_channels) const {
    if (s_.input_block == 0) return {};
    return ChannelCuts("ci", "l.o", s_.SummedChannels(), s_.input_block, unroll_channels);
  }

  // The loops over tiles of so many channel groups, outermost first, and the parts that they are cut into.
  std::vector<EdgeCut> Cuts(KnobValues at, int64_t edge, int64_t order, int64_t groups) const {
    const bool skip = edge == kEdgePartition;
    std::vector<EdgeCut> cuts;
    for (const std::string& loop : kTileOrders[order]) {
      TiledAxis axis;
      std::string tag;
      if (loop == "co.o") {
        axis = {.outputs = groups, .tile = at[oc_tile_]};
        tag = "c";
      } else if (loop == "oh.o") {
        axis = {.outputs = s_.OutputHeight(),
                .tile = at[oh_tile_],
                .stride = s_.sh,
                .padding = s_.ph,
                .reach = s_.d * (s_.kh - 1) + 1,
                .size = skip ? s_.h : 0};
        tag = "h";
      } else {
        axis = {.outputs = s_.OutputWidth(),
                .tile = at[ow_tile_],
                .stride = s_.sw,
                .padding = s_.pw,
                .reach = s_.d * (s_.kw - 1) + 1,
                .size = skip ? s_.w : 0};
        tag = "w";
      }
      // A branch per row of taps costs nothing, so tiles of one row stay together.
      const bool whole = edge == kEdgeBranch || (loop == "oh.o" && at[oh_tile_] == 1);
      cuts.push_back({loop, whole ? std::vector<EdgePart>{{0, axis.Tiles(), true}} : EdgeParts(axis), tag});
    }
    return cuts;
  }

  int64_t Accumulators(KnobValues at) const { return Vectors(at) * at[oh_tile_] * at[ow_tile_]; }

  // Unrolled stores of the whole program, but for what several passes add.
  int64_t Stores(KnobValues at, int64_t edge, int64_t unroll_channels, int64_t unroll_taps) const {
    int64_t bodies = 0;  // copies of the loop body, over all parts
    int64_t leaves = 0;
    const bool skips = edge == kEdgePartition;
    const std::vector<EdgeCut> cuts = Cuts(at, edge, 0, lanes_.groups);
    for (const EdgePart& oh : cuts[1].parts) {
      for (const EdgePart& ow : cuts[2].parts) {
        bodies += (unroll_taps >= 1 || (skips && !ow.clean) ? s_.kw : 1) *
                  (unroll_taps >= 2 || (skips && !oh.clean) ? s_.kh : 1);
        ++leaves;
      }
    }
    const int64_t carriers = 1 + std::max(1, workload_.nodes_size() - 1);
    const int64_t steps = unroll_channels / products_ * CountLeaves(ReductionCuts(unroll_channels));
    return Accumulators(at) * static_cast<int64_t>(cuts[0].parts.size()) * (bodies * steps + leaves * carriers);
  }

  v1::Schedule Build(KnobValues at) const override {
    ScheduleBuilder b("direct", 1);
    PackWeights(at, b);
    std::vector<std::string> axes = {"n", "co", "oh", "ow"};
    if (!lanes_.plain) axes.push_back("c");
    const bool one_pass = Passes(at) == 1;
    OutputTile tile(workload_, axes, one_pass ? OutputTile::Passes::kOne : OutputTile::Passes::kSeveral, &b);
    if (at[edge_] == kEdgePad) PadInput(b);

    const ChannelLanes lanes = InParts(lanes_, at[parts_]);
    SplitChannels(lanes, BlocksOutputs(at) ? at[oc_block_] : 0, at[oc_tile_], b);
    b.Split("oh", {0, at[oh_tile_]}, {"oh.o", "oh.i"});
    b.Split("ow", {0, at[ow_tile_]}, {"ow.o", "ow.i"});
    if (s_.input_block == 0) {
      std::vector<int64_t> factors = {0, at[unroll_channels_]};
      std::vector<std::string> parts = {"ci.o", "l.u"};
      if (!one_pass) {
        factors.insert(factors.begin() + 1, at[ci_block_] / at[unroll_channels_]);
        parts.insert(parts.begin(), "ci.b");
      }
      b.Split("ci", factors, parts);
    } else {
      if (!one_pass) b.Split("ci", {0, at[ci_block_]}, {"ci.b", "ci.o"});
      if (products_ == 1) {
        b.Split("l", {0, at[unroll_channels_]}, {"l.o", "l.u"});
      } else {
        b.Split("l", {0, at[unroll_channels_] / products_, products_}, {"l.o", "l.u", "l.p"});
      }
    }

    std::vector<std::string> outer = kTileOrders[at[order_]];
    if (at[parts_] > 1) outer.push_back("c.t");
    std::vector<std::string> reduction;
    for (const std::string& loop : kReductionOrders[at[reduce_]].loops) {
      if (loop == "ci.o") {
        reduction.push_back(s_.input_block == 0 || !one_pass ? "ci.o" : "ci");
      } else if (loop != "l.o" || s_.input_block != 0) {
        reduction.push_back(loop);
      }
    }
    std::vector<std::string> unrolled = {"l.u"};
    const std::vector<std::string> lane_loops = lanes.InnerLoops();
    std::vector<std::string> channel_loops = {"co.i"};
    channel_loops.insert(channel_loops.end(), lane_loops.begin(), lane_loops.end() - 1);
    const std::vector<std::string> pixel_loops = {"oh.i", "ow.i"};
    const bool pixels_inside = at[inner_] == 0;
    for (const auto* loops :
         {pixels_inside ? &channel_loops : &pixel_loops, pixels_inside ? &pixel_loops : &channel_loops}) {
      unrolled.insert(unrolled.end(), loops->begin(), loops->end());
    }
    // A block's weights are used for all images.
    std::vector<std::string> loops = {"n"};
    if (BlocksOutputs(at)) loops.insert(loops.begin(), "co.b");
    if (!one_pass) loops.insert(BlocksOutputs(at) ? loops.begin() + 1 : loops.end(), "ci.b");
    for (const std::vector<std::string>* part :
         std::initializer_list<const std::vector<std::string>*>{&outer, &reduction, &unrolled})
      loops.insert(loops.end(), part->begin(), part->end());
    loops.push_back(lane_loops.back());
    if (products_ > 1) loops.push_back("l.p");
    b.Reorder(loops);

    if (!one_pass) PlaceEpilogue(at, tile, b);
    tile.PlaceAt(outer.back(), reduction.front());
    if (lanes.plain && s_.co > 1) {  // a single channel is in no index: its lanes would seem to collide
      const std::string width = absl::StrCat(lanes.width);
      tile.TransformLayout({"0", "1/" + width, "2", "3", "1%" + width});
    }
    UnrollTile(lanes, tile, b);
    for (const std::string& loop : unrolled) b.Unroll(loop);
    if (products_ == 1) {
      b.Vectorize(lane_loops.back());
    } else {
      b.Tensorize(lane_loops.back(), "dot.4x4.s8");
    }
    if (at[unroll_taps_] >= 1) b.Unroll("kw");
    if (at[unroll_taps_] >= 2) b.Unroll("kh");
    if (at[edge_] == kEdgePad) PlacePaddedInput(at, b);
    if (at[prefetch_] > 0) b.Prefetch("packed", at[prefetch_]);
    if (at[fold_] == 1) b.FoldLoads(at[edge_] == kEdgePad ? "padded" : "data");

    const std::vector<EdgeCut> cuts = Cuts(at, at[edge_], at[order_], GroupsInside(at));
    CutConvolution({.cuts = cuts,
                    .unrolled_taps = at[unroll_taps_],
                    .skips_taps = at[edge_] == kEdgePartition,
                    .tasks = BlocksOutputs(at) ? std::vector<std::string>(at[parallel_], "co.b")
                                               : TileTasks(cuts, at[parallel_], s_.n > 1 && one_pass),
                    .channel_cuts = ReductionCuts(at[unroll_channels_])},
                   b);
    return b.schedule();
  }

  // Where all passes are summed up: once per block of output channels, or per image.
  void PlaceEpilogue(KnobValues at, OutputTile& tile, ScheduleBuilder& b) const {
    const std::string epilogue = tile.PlaceEpilogueAt(BlocksOutputs(at) ? "co.b" : "n");
    if (epilogue.empty()) return;
    const std::string lanes = epilogue + (lanes_.plain ? ".ow" : ".c");
    const int64_t width = lanes_.plain ? unit_.lanes : lanes_.width;
    b.Split(lanes, {0, width}, {lanes + ".o", lanes + ".v"});
    b.Vectorize(lanes + ".v");
    if (at[parallel_] > 0 && !BlocksOutputs(at)) b.Parallel(epilogue + ".co");
  }

  // Raw OIHW (dimensions 0 to 3) to [channel tile][reduction][channels of the tile], or with the tile's groups apart.
  void PackWeights(KnobValues at, ScheduleBuilder& b) const {
    const int64_t part = InParts(lanes_, at[parts_]).PartChannels();
    const int64_t group = part * (at[interleave_] == 1 ? at[oc_tile_] : 1);
    const bool by_block = at[reduce_] < 3 && s_.input_block != 0;
    const int64_t block = by_block ? s_.input_block : at[unroll_channels_];
    std::vector<std::string> terms = {absl::StrCat("0/", group)};
    for (const std::string& item : kReductionOrders[at[reduce_]].packed) {
      if (item == "kh") {
        terms.push_back("2");
      } else if (item == "kw") {
        terms.push_back("3");
      } else if (block > 1) {
        terms.push_back(absl::StrCat("1", item, block));
      } else if (item == "/") {
        terms.push_back("1");
      }
    }
    terms.push_back(absl::StrCat("0%", group));
    b.TransformLayout("weight", terms, "packed");
    if (products_ == 1) return;
    // What an instruction sums up lies together, inside the output channels.
    const size_t last = terms.size() - 1;
    std::vector<std::string> together;
    for (size_t d = 0; d + 1 < last; ++d) together.push_back(absl::StrCat(d));
    together.push_back(absl::StrCat(last - 1, "/", products_));
    together.push_back(absl::StrCat(last));
    together.push_back(absl::StrCat(last - 1, "%", products_));
    b.TransformLayout("packed", together, "packed");
  }

  // Zeros before and after the input, as far as taps reach.
  void PadInput(ScheduleBuilder& b) const {
    const auto after = [](int64_t outputs, int64_t stride, int64_t padding, int64_t reach, int64_t size) {
      return std::max<int64_t>(0, (outputs - 1) * stride - padding + reach - size);
    };
    std::vector<int64_t> zeros_before = {0, 0, s_.ph, s_.pw};
    std::vector<int64_t> zeros_after = {0, 0, after(s_.OutputHeight(), s_.sh, s_.ph, s_.d * (s_.kh - 1) + 1, s_.h),
                                        after(s_.OutputWidth(), s_.sw, s_.pw, s_.d * (s_.kw - 1) + 1, s_.w)};
    if (s_.input_block != 0) {
      zeros_before.push_back(0);
      zeros_after.push_back(0);
    }
    b.Pad("conv2d", "data", zeros_before, zeros_after, "workspace", "padded");
  }

  void PlacePaddedInput(KnobValues at, ScheduleBuilder& b) const {
    if (at[pad_at_] == 1) {
      b.ComputeAt("padded", "oh.o");
    } else if (at[parallel_] > 0) {
      b.Parallel("padded.d1");
    }
    const int64_t lanes = unit_.lanes * 4 / OperandBytes(s_.dtype);
    if (s_.input_block == 0 || s_.input_block > lanes) {
      const std::string row = s_.input_block == 0 ? "padded.d3" : "padded.d4";
      b.Split(row, {0, lanes}, {row + ".o", row + ".v"});
      b.Vectorize(row + ".v");
    } else {
      b.Vectorize("padded.d4");
    }
  }

  double Tasks(KnobValues at) const {
    if (BlocksOutputs(at)) return at[parallel_] == 0 ? 1 : static_cast<double>(Tiles(at)) / at[oc_block_];
    const std::vector<EdgeCut> cuts = Cuts(at, at[edge_], at[order_], GroupsInside(at));
    double tasks = 1;
    for (int64_t i = 0; i < at[parallel_]; ++i) tasks *= static_cast<double>(cuts[i].parts.back().end);
    return tasks;
  }

  std::vector<double> Derived(KnobValues at) const override {
    const double accumulators = Accumulators(at);
    const auto weights = static_cast<double>(Vectors(at));
    const double pixels = at[oh_tile_] * at[ow_tile_];
    const double channels = s_.ci;
    const auto weight_bytes = static_cast<double>(BlockWeightBytes(at) * at[ci_block_]);
    const double rows = (at[oh_tile_] - 1) * s_.sh + s_.d * (s_.kh - 1) + 1;
    const double columns = (at[ow_tile_] - 1) * s_.sw + s_.d * (s_.kw - 1) + 1;
    const double tiles = std::ceil(static_cast<double>(lanes_.groups) / at[oc_tile_]) *
                         std::ceil(static_cast<double>(s_.OutputHeight()) / at[oh_tile_]) *
                         std::ceil(static_cast<double>(s_.OutputWidth()) / at[ow_tile_]);
    const double useful = static_cast<double>(lanes_.groups) * s_.OutputHeight() * s_.OutputWidth();
    const double tasks = Tasks(at);
    return {accumulators / unit_.registers,
            accumulators / (weights + pixels),
            std::log2(1 + weight_bytes / unit_.l1_bytes),
            std::log2(1 + weight_bytes / unit_.l2_bytes),
            std::log2(1 + weight_bytes * at[oc_block_] / unit_.l2_bytes),
            std::log2(Passes(at)),
            std::log2(1 + bytes_ * rows * columns * channels / unit_.l1_bytes),
            std::log2(1 + bytes_ * rows * s_.w * channels / unit_.l2_bytes),
            std::log2(1 + bytes_ * s_.h * s_.w * channels / unit_.l2_bytes),
            std::log2(Stores(at, at[edge_], at[unroll_channels_], at[unroll_taps_])),
            useful / (tiles * at[oc_tile_] * pixels),
            std::log2(tiles),
            tasks / (std::ceil(tasks / unit_.threads) * unit_.threads)};
  }

  std::optional<DraftCost> Draft(KnobValues at) const override {
    const auto vectors = static_cast<double>(Vectors(at));
    const auto pixels = static_cast<double>(at[oh_tile_] * at[ow_tile_]);
    const auto taps = static_cast<double>(s_.kh * s_.kw);
    const double rows = s_.n * std::ceil(static_cast<double>(s_.OutputHeight()) / at[oh_tile_]);
    const double columns = std::ceil(static_cast<double>(s_.OutputWidth()) / at[ow_tile_]);
    const auto channel_tiles = static_cast<double>(Tiles(at) * at[parts_]);
    const auto channels = static_cast<double>(InputBlocks() * std::max<int64_t>(1, s_.input_block));

    // Weights are read again and again: by all tiles of pixels inside the loop over channels, or around it.
    const double tile_bytes = static_cast<double>(BlockWeightBytes(at) * at[ci_block_]);
    const double block_bytes = tile_bytes * static_cast<double>(at[oc_block_] * at[parts_]);
    const double weight_bytes =
        static_cast<double>(BlockWeightBytes(at)) * static_cast<double>(InputBlocks()) * channel_tiles;
    const double around = at[order_] == 1 ? rows : at[order_] == 2 ? rows * columns : 1;
    const double reads = tile_bytes > unit_.l1_bytes ? rows * columns : block_bytes > unit_.l1_bytes ? around : 1;
    const double far_reads = tile_bytes > unit_.l2_bytes ? rows * columns : block_bytes > unit_.l2_bytes ? around : 1;
    const bool far = weight_bytes > unit_.l2_bytes;

    DraftCost cost{.accumulators = vectors * pixels, .loads = vectors + pixels, .threads = unit_.threads};
    cost.steps = rows * columns * channel_tiles * channels * taps / products_;
    const double unrolled = static_cast<double>(at[unroll_channels_]) / products_ *
                            (at[unroll_taps_] >= 1 ? s_.kw : 1) * (at[unroll_taps_] >= 2 ? s_.kh : 1);
    cost.turns = cost.steps / unrolled;
    // A tap that may be missing costs a branch for every pixel.
    if (at[edge_] == kEdgeBranch && s_.ph + s_.pw > 0 && at[ow_tile_] > 1) cost.turns += cost.steps * pixels / 2;
    // Each pass takes the tile from memory and puts it back.
    if (Passes(at) > 1) cost.turns += rows * columns * channel_tiles * Passes(at) * cost.accumulators;
    cost.l2_bytes = weight_bytes * reads;
    cost.l3_bytes = far ? weight_bytes * far_reads : 0;
    cost.tasks = Tasks(at);
    return cost;
  }

  const v1::Workload workload_;
  const Conv2dShape s_;
  const VectorUnit unit_;
  const ChannelLanes lanes_;
  const int64_t bytes_;     // of an element of the input and the weights
  const int64_t products_;  // that one instruction adds to each lane
  Knob parts_, oc_tile_, oh_tile_, ow_tile_, edge_, unroll_channels_, unroll_taps_, reduce_, ci_block_, oc_block_,
      order_, inner_, fold_, interleave_, prefetch_, pad_at_, parallel_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeConv2dDirectSpace(const v1::Workload& workload,
                                                                     const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, "direct", 1));
  return std::make_unique<Conv2dDirectSpace>(workload, shape, VectorUnitOf(target), std::move(fresh));
}

}  // namespace tunefleet::codegen
