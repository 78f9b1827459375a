#include "codegen/spaces/conv2d_direct.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
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
      : KnobSpace(absl::StrCat(unit.family, ".conv2d.direct"), 2, std::move(fresh)),
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
    const auto fits = [this](int64_t oc, int64_t oh, int64_t ow) {
      return unit_.Fits(oc * lanes_.vectors * oh * ow, oc * lanes_.vectors);
    };
    oc_tile_ = knobs.Add("oc_tile",
                         Those(UpTo(std::min<int64_t>(8, lanes_.groups)), [=](int64_t oc) { return fits(oc, 1, 1); }));
    oh_tile_ = knobs.Add("oh_tile", [=, this](KnobValues at) {
      return Those(UpTo(std::min<int64_t>(8, s_.OutputHeight())),
                   [&](int64_t oh) { return fits(at[oc_tile_], oh, 1); });
    });
    ow_tile_ = knobs.Add("ow_tile", [=, this](KnobValues at) {
      return Those(UpTo(std::min<int64_t>(32, s_.OutputWidth())),
                   [&](int64_t ow) { return fits(at[oc_tile_], at[oh_tile_], ow); });
    });
    edge_ = knobs.Add("edge", [this](KnobValues at) {
      std::vector<int64_t> values = {kEdgeBranch};
      const bool padded = s_.ph > 0 || s_.pw > 0;
      if (padded || HasTail(at)) values.push_back(kEdgePartition);
      if (padded) values.push_back(kEdgePad);
      return Those(values, [&](int64_t edge) { return Stores(at, edge, products_, 0) <= kMostStores; });
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
    order_ = knobs.Add("order", {0, 1, 2, 3});
    inner_ = knobs.Add("inner", {0, 1});  // innermost over pixels of a channel group, or the other way round
    interleave_ = knobs.Add("interleave", [this](KnobValues at) {  // weights of a tile's channel groups side by side
      return at[oc_tile_] == 1 ? std::vector<int64_t>{0} : std::vector<int64_t>{0, 1};
    });
    pad_at_ = knobs.Add("pad_at", [this](KnobValues at) {  // the padded copy: 0: made first, 1: row tile by row tile
      return at[edge_] == kEdgePad ? std::vector<int64_t>{0, 1} : std::vector<int64_t>{0};
    });
    parallel_ = knobs.Add("parallel", [this](KnobValues at) {  // 0: none, 1: outermost tile loop, 2: the outer two
      std::vector<int64_t> values = {0};
      if (unit_.threads == 1) return values;
      const std::vector<EdgeCut> cuts = Cuts(at, at[edge_], at[order_]);
      const bool fusable = cuts[0].parts.size() == 1;  // a loop that is cut cannot be fused with another
      if (s_.n == 1 || fusable) values.push_back(1);
      if (fusable && cuts[1].parts.size() == 1 && at[pad_at_] == 0) values.push_back(2);
      return values;
    });
  }

  // Channels of one input block, or all plain input channels: what unroll_channels divides.
  int64_t InputLanes() const { return s_.input_block == 0 ? s_.ci : s_.input_block; }

  bool HasTail(KnobValues at) const {
    return lanes_.groups % at[oc_tile_] != 0 || s_.OutputHeight() % at[oh_tile_] != 0 ||
           s_.OutputWidth() % at[ow_tile_] != 0;
  }

  std::vector<EdgeCut> ReductionCuts(int64_t unroll_channels) const {
    if (s_.input_block == 0) return {};
    return ChannelCuts("ci", "l.o", s_.SummedChannels(), s_.input_block, unroll_channels);
  }

  // The tile loops, outermost first, and the parts that they are cut into.
  std::vector<EdgeCut> Cuts(KnobValues at, int64_t edge, int64_t order) const {
    const bool skip = edge == kEdgePartition;
    std::vector<EdgeCut> cuts;
    for (const std::string& loop : kTileOrders[order]) {
      TiledAxis axis;
      std::string tag;
      if (loop == "co.o") {
        axis = {.outputs = lanes_.groups, .tile = at[oc_tile_]};
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

  int64_t Accumulators(KnobValues at) const { return at[oc_tile_] * lanes_.vectors * at[oh_tile_] * at[ow_tile_]; }

  // Unrolled stores of the whole program.
  int64_t Stores(KnobValues at, int64_t edge, int64_t unroll_channels, int64_t unroll_taps) const {
    int64_t bodies = 0;  // copies of the loop body, over all parts
    int64_t leaves = 0;
    const std::vector<EdgeCut> cuts = Cuts(at, edge, 0);
    for (const EdgePart& oh : cuts[1].parts) {
      for (const EdgePart& ow : cuts[2].parts) {
        bodies += (unroll_taps >= 1 || !ow.clean ? s_.kw : 1) * (unroll_taps >= 2 || !oh.clean ? s_.kh : 1);
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
    OutputTile tile(workload_, axes, &b);
    if (at[edge_] == kEdgePad) PadInput(b);

    SplitChannels(lanes_, at[oc_tile_], b);
    b.Split("oh", {0, at[oh_tile_]}, {"oh.o", "oh.i"});
    b.Split("ow", {0, at[ow_tile_]}, {"ow.o", "ow.i"});
    if (s_.input_block == 0) {
      b.Split("ci", {0, at[unroll_channels_]}, {"ci.o", "l.u"});
    } else if (products_ == 1) {
      b.Split("l", {0, at[unroll_channels_]}, {"l.o", "l.u"});
    } else {
      b.Split("l", {0, at[unroll_channels_] / products_, products_}, {"l.o", "l.u", "l.p"});
    }

    const std::vector<std::string>& outer = kTileOrders[at[order_]];
    std::vector<std::string> reduction;
    for (const std::string& loop : kReductionOrders[at[reduce_]].loops) {
      if (loop == "ci.o") {
        reduction.push_back(s_.input_block == 0 ? "ci.o" : "ci");
      } else if (loop != "l.o" || s_.input_block != 0) {
        reduction.push_back(loop);
      }
    }
    std::vector<std::string> unrolled = {"l.u"};
    const std::vector<std::string> lane_loops = lanes_.InnerLoops();
    std::vector<std::string> channel_loops = {"co.i"};
    channel_loops.insert(channel_loops.end(), lane_loops.begin(), lane_loops.end() - 1);
    const std::vector<std::string> pixel_loops = {"oh.i", "ow.i"};
    const bool pixels_inside = at[inner_] == 0;
    for (const auto* loops :
         {pixels_inside ? &channel_loops : &pixel_loops, pixels_inside ? &pixel_loops : &channel_loops}) {
      unrolled.insert(unrolled.end(), loops->begin(), loops->end());
    }
    std::vector<std::string> loops = {"n"};
    for (const std::vector<std::string>* part :
         std::initializer_list<const std::vector<std::string>*>{&outer, &reduction, &unrolled})
      loops.insert(loops.end(), part->begin(), part->end());
    loops.push_back(lane_loops.back());
    if (products_ > 1) loops.push_back("l.p");
    b.Reorder(loops);

    tile.PlaceAt(outer.back(), reduction.front());
    if (lanes_.plain && s_.co > 1) {  // a single channel is in no index: its lanes would seem to collide
      const std::string width = absl::StrCat(lanes_.width);
      tile.TransformLayout({"0", "1/" + width, "2", "3", "1%" + width});
    }
    UnrollTile(lanes_, tile, b);
    for (const std::string& loop : unrolled) b.Unroll(loop);
    if (products_ == 1) {
      b.Vectorize(lane_loops.back());
    } else {
      b.Tensorize(lane_loops.back(), "dot.4x4.s8");
    }
    if (at[unroll_taps_] >= 1) b.Unroll("kw");
    if (at[unroll_taps_] >= 2) b.Unroll("kh");
    if (at[edge_] == kEdgePad) PlacePaddedInput(at, b);

    CutConvolution({.cuts = Cuts(at, at[edge_], at[order_]),
                    .unrolled_taps = at[unroll_taps_],
                    .parallel_cuts = at[parallel_],
                    .channel_cuts = ReductionCuts(at[unroll_channels_]),
                    .batched = s_.n > 1},
                   b);
    return b.schedule();
  }

  // Raw OIHW (dimensions 0 to 3) to [channel tile][reduction][channels of the tile], or with the tile's groups apart.
  void PackWeights(KnobValues at, ScheduleBuilder& b) const {
    const int64_t group = lanes_.GroupChannels() * (at[interleave_] == 1 ? at[oc_tile_] : 1);
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
    if (at[pad_at_] == 1) b.ComputeAt("padded", "oh.o");
    const int64_t lanes = unit_.lanes * 4 / OperandBytes(s_.dtype);
    if (s_.input_block == 0 || s_.input_block > lanes) {
      const std::string row = s_.input_block == 0 ? "padded.d3" : "padded.d4";
      b.Split(row, {0, lanes}, {row + ".o", row + ".v"});
      b.Vectorize(row + ".v");
    } else {
      b.Vectorize("padded.d4");
    }
  }

  std::vector<double> Derived(KnobValues at) const override {
    const double accumulators = Accumulators(at);
    const double weights = at[oc_tile_] * lanes_.vectors;
    const double pixels = at[oh_tile_] * at[ow_tile_];
    const double channels = s_.ci;
    const double weight_bytes = bytes_ * weights * lanes_.width * channels * s_.kh * s_.kw;
    const double rows = (at[oh_tile_] - 1) * s_.sh + s_.d * (s_.kh - 1) + 1;
    const double columns = (at[ow_tile_] - 1) * s_.sw + s_.d * (s_.kw - 1) + 1;
    const double tiles = std::ceil(static_cast<double>(lanes_.groups) / at[oc_tile_]) *
                         std::ceil(static_cast<double>(s_.OutputHeight()) / at[oh_tile_]) *
                         std::ceil(static_cast<double>(s_.OutputWidth()) / at[ow_tile_]);
    const double useful = static_cast<double>(lanes_.groups) * s_.OutputHeight() * s_.OutputWidth();
    const std::vector<EdgeCut> cuts = Cuts(at, at[edge_], at[order_]);
    double tasks = 1;
    for (int64_t i = 0; i < at[parallel_]; ++i) tasks *= static_cast<double>(cuts[i].parts.back().end);
    return {accumulators / unit_.registers,
            accumulators / (weights + pixels),
            std::log2(1 + weight_bytes / unit_.l1_bytes),
            std::log2(1 + weight_bytes / unit_.l2_bytes),
            std::log2(1 + bytes_ * rows * columns * channels / unit_.l1_bytes),
            std::log2(1 + bytes_ * rows * s_.w * channels / unit_.l2_bytes),
            std::log2(1 + bytes_ * s_.h * s_.w * channels / unit_.l2_bytes),
            std::log2(Stores(at, at[edge_], at[unroll_channels_], at[unroll_taps_])),
            useful / (tiles * at[oc_tile_] * pixels),
            std::log2(tiles),
            tasks / (std::ceil(tasks / unit_.threads) * unit_.threads)};
  }

  const v1::Workload workload_;
  const Conv2dShape s_;
  const VectorUnit unit_;
  const ChannelLanes lanes_;
  const double bytes_;      // of an element of the input and the weights
  const int64_t products_;  // that one instruction adds to each lane
  Knob oc_tile_, oh_tile_, ow_tile_, edge_, unroll_channels_, unroll_taps_, reduce_, order_, inner_, interleave_,
      pad_at_, parallel_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeConv2dDirectSpace(const v1::Workload& workload,
                                                                     const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, "direct", 1));
  return std::make_unique<Conv2dDirectSpace>(workload, shape, VectorUnitOf(target), std::move(fresh));
}

}  // namespace tunefleet::codegen
