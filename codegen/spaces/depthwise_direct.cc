#include "codegen/spaces/depthwise_direct.h"

#include <algorithm>
#include <cmath>
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

constexpr int64_t kMostStores = 1000;

// Values of knob "edge"; the same as those of x86.conv2d.direct.
constexpr int64_t kEdgeBranch = 0;
constexpr int64_t kEdgePartition = 1;

// Loops over output tiles, outermost first. Index: knob "order".
const std::vector<std::string> kTileOrders[] = {{"co", "oh.o", "ow.o"}, {"oh.o", "co", "ow.o"}, {"oh.o", "ow.o", "co"}};

class DepthwiseDirectSpace : public KnobSpace {
 public:
  DepthwiseDirectSpace(v1::Workload workload, const Conv2dShape& shape, const VectorUnit& unit, LoopNest fresh)
      : KnobSpace(absl::StrCat(unit.family, ".depthwise.direct"), 2, std::move(fresh)),
        workload_(std::move(workload)),
        s_(shape),
        unit_(unit) {
    const bool plain = s_.channel_block == 0;
    row_width_ = plain ? unit_.lanes : 1;
    lanes_ = ChannelLanesOf(s_.co, s_.channel_block, unit_);
    vectors_ = plain ? 1 : lanes_.vectors;
    groups_ = plain ? s_.co : lanes_.groups;
    DeclareKnobs();
  }

 private:
  bool plain() const { return s_.channel_block == 0; }

  void DeclareKnobs() {
    KnobList& knobs = knob_list();
    oh_tile_ = knobs.Add("oh_tile", Those(UpTo(std::min<int64_t>(8, s_.OutputHeight())),
                                          [this](int64_t oh) { return unit_.Fits(oh * vectors_, 2); }));
    ow_tile_ = knobs.Add("ow_tile", [this](KnobValues at) {  // in vectors where a vector is pixels
      const int64_t most = (s_.OutputWidth() + row_width_ - 1) / row_width_;
      return Those(UpTo(std::min<int64_t>(16, most)),
                   [&](int64_t ow) { return unit_.Fits(at[oh_tile_] * ow * vectors_, 2); });
    });
    edge_ = knobs.Add("edge", [this](KnobValues at) {
      return Those({kEdgeBranch, kEdgePartition}, [&](int64_t edge) { return Stores(at, edge, 0) <= kMostStores; });
    });
    unroll_taps_ = knobs.Add("unroll_taps", [this](KnobValues at) {  // 0: none, 1: kw, 2: kh and kw
      return Those({0, 1, 2}, [&](int64_t taps) { return Stores(at, at[edge_], taps) <= kMostStores; });
    });
    order_ = knobs.Add("order", {0, 1, 2});
    parallel_ = knobs.Add("parallel", [this](KnobValues at) {  // 0: none, 1: outermost tile loop, 2: the outer two
      std::vector<int64_t> values = {0};
      if (unit_.threads == 1) return values;
      const std::vector<EdgeCut> cuts = Cuts(at, at[edge_], at[order_]);
      const bool fusable = cuts[0].parts.size() == 1;
      if (s_.n == 1 || fusable) values.push_back(1);
      if (fusable && cuts[1].parts.size() == 1) values.push_back(2);
      return values;
    });
  }

  std::vector<EdgeCut> Cuts(KnobValues at, int64_t edge, int64_t order) const {
    std::vector<EdgeCut> cuts;
    for (const std::string& loop : kTileOrders[order]) {
      if (loop == "co") {
        cuts.push_back({loop, {{0, groups_, true}}, "c"});
        continue;
      }
      const bool high = loop == "oh.o";
      const TiledAxis axis = high ? TiledAxis{.outputs = s_.OutputHeight(),
                                              .tile = at[oh_tile_],
                                              .stride = s_.sh,
                                              .padding = s_.ph,
                                              .reach = s_.d * (s_.kh - 1) + 1,
                                              .size = s_.h}
                                  : TiledAxis{.outputs = s_.OutputWidth(),
                                              .tile = at[ow_tile_] * row_width_,
                                              .stride = s_.sw,
                                              .padding = s_.pw,
                                              .reach = s_.d * (s_.kw - 1) + 1,
                                              .size = s_.w};
      const bool whole = edge == kEdgeBranch || (high && at[oh_tile_] == 1);
      cuts.push_back(
          {loop, whole ? std::vector<EdgePart>{{0, axis.Tiles(), true}} : EdgeParts(axis), high ? "h" : "w"});
    }
    return cuts;
  }

  int64_t Accumulators(KnobValues at) const { return at[oh_tile_] * at[ow_tile_] * vectors_; }

  int64_t Stores(KnobValues at, int64_t edge, int64_t unroll_taps) const {
    int64_t bodies = 0;
    const std::vector<EdgeCut> cuts = Cuts(at, edge, 0);
    for (const EdgePart& oh : cuts[1].parts) {
      for (const EdgePart& ow : cuts[2].parts) {
        bodies += 2 + (unroll_taps >= 1 || !ow.clean ? s_.kw : 1) * (unroll_taps >= 2 || !oh.clean ? s_.kh : 1);
      }
    }
    return Accumulators(at) * bodies;
  }

  v1::Schedule Build(KnobValues at) const override {
    ScheduleBuilder b("direct", 1);
    std::vector<std::string> axes = {"n", "co", "oh", "ow"};
    if (!plain()) {
      axes.push_back("c");
      b.TransformLayout("weight",
                        {absl::StrCat("0/", s_.channel_block), "1", "2", "3", absl::StrCat("0%", s_.channel_block)},
                        "packed");
    }
    OutputTile tile(workload_, axes, OutputTile::Passes::kOne, &b);
    b.Split("oh", {0, at[oh_tile_]}, {"oh.o", "oh.i"});
    std::vector<std::string> unrolled = {"oh.i", "ow.i"};
    std::string vector = "c";
    if (plain()) {
      vector = "ow.v";
      b.Split("ow", {0, at[ow_tile_], row_width_}, {"ow.o", "ow.i", vector});
    } else {
      b.Split("ow", {0, at[ow_tile_]}, {"ow.o", "ow.i"});
      if (vectors_ > 1) {
        b.Split("c", {0, lanes_.width}, {"c.o", "c.v"});
        unrolled.push_back("c.o");
        vector = "c.v";
      }
    }
    const std::vector<std::string>& outer = kTileOrders[at[order_]];
    std::vector<std::string> loops = {"n"};
    loops.insert(loops.end(), outer.begin(), outer.end());
    loops.insert(loops.end(), {"kh", "kw"});
    loops.insert(loops.end(), unrolled.begin(), unrolled.end());
    loops.push_back(vector);
    b.Reorder(loops);

    tile.PlaceAt(outer.back(), "kh");
    if (plain()) {
      UnrollRows(at, tile, b);
    } else {
      UnrollTile(lanes_, tile, b);
    }
    for (const std::string& loop : unrolled) b.Unroll(loop);
    b.Vectorize(vector);
    if (at[unroll_taps_] >= 1) b.Unroll("kw");
    if (at[unroll_taps_] >= 2) b.Unroll("kh");
    const std::vector<EdgeCut> cuts = Cuts(at, at[edge_], at[order_]);
    CutConvolution({.cuts = cuts,
                    .unrolled_taps = at[unroll_taps_],
                    .skips_taps = at[edge_] == kEdgePartition,
                    .tasks = TileTasks(cuts, at[parallel_], s_.n > 1)},
                   b);
    return b.schedule();
  }

  // The blocks of the tile where vectors are pixels.
  void UnrollRows(KnobValues at, const OutputTile& tile, ScheduleBuilder& b) const {
    for (const std::string& block : tile.blocks()) {
      const std::string row = tile.Loop(block, "ow");
      const std::string vectors = absl::StrCat(block, ".ow.i");
      const std::string vector = absl::StrCat(block, ".ow.v");
      b.Split(row, {at[ow_tile_], row_width_}, {vectors, vector});
      b.Unroll(tile.Loop(block, "oh")).Unroll(vectors).Vectorize(vector);
    }
  }

  std::vector<double> Derived(KnobValues at) const override {
    const double pixels = static_cast<double>(at[oh_tile_]) * at[ow_tile_] * row_width_;
    const double rows = (at[oh_tile_] - 1) * s_.sh + s_.d * (s_.kh - 1) + 1;
    const double columns = (at[ow_tile_] * row_width_ - 1) * s_.sw + s_.d * (s_.kw - 1) + 1;
    const double tiles = std::ceil(static_cast<double>(s_.OutputHeight()) / at[oh_tile_]) *
                         std::ceil(static_cast<double>(s_.OutputWidth()) / (at[ow_tile_] * row_width_));
    return {static_cast<double>(Accumulators(at)) / unit_.registers,
            pixels * s_.kh * s_.kw / (rows * columns),
            std::log2(1 + OperandBytes(s_.dtype) * rows * s_.w * (plain() ? 1 : s_.channel_block) / unit_.l1_bytes),
            std::log2(Stores(at, at[edge_], at[unroll_taps_])),
            static_cast<double>(s_.OutputHeight()) * s_.OutputWidth() / (tiles * pixels),
            std::log2(tiles * groups_)};
  }

  const v1::Workload workload_;
  const Conv2dShape s_;
  const VectorUnit unit_;
  ChannelLanes lanes_;
  int64_t row_width_;  // pixels in a vector
  int64_t vectors_;    // per pixel (or per row_width_ pixels)
  int64_t groups_;     // iterations of loop co
  Knob oh_tile_, ow_tile_, edge_, unroll_taps_, order_, parallel_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeDepthwiseDirectSpace(const v1::Workload& workload,
                                                                        const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, "direct", 1));
  return std::make_unique<DepthwiseDirectSpace>(workload, shape, VectorUnitOf(target), std::move(fresh));
}

}  // namespace tunefleet::codegen
