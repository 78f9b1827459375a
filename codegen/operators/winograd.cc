#include "codegen/operators/winograd.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "codegen/operators/winograd_error.h"

namespace tunefleet::codegen {
namespace {

// Which columns of a transform's row are summed up first, so that rows share partial sums: those of input and filter
// transforms differ in the signs of every other column (of a phase), those of output transforms pair the columns of
// points that differ in sign.
enum class Pairing { kAlternate, kNeighbours };

Expr Sum(const std::vector<int64_t>& columns, const std::function<Expr(int64_t)>& term) {
  Expr sum;
  for (const int64_t column : columns) sum = sum == nullptr ? term(column) : sum + term(column);
  return sum;
}

Expr TransformSum(int64_t columns, Pairing pairing, int64_t phases, const std::function<Expr(int64_t)>& term) {
  std::vector<std::vector<int64_t>> groups;
  if (pairing == Pairing::kAlternate) {
    groups.resize(2 * phases);
    for (int64_t column = columns; column-- > 0;) groups[column % (2 * phases)].push_back(column);
  } else {
    for (int64_t column = 0; column < columns; ++column) {
      if (column % 2 == 1 && column + 1 < columns) {
        groups.push_back({column, column + 1});
        ++column;
      } else {
        groups.push_back({column});
      }
    }
  }
  Expr sum;
  for (const std::vector<int64_t>& group : groups) {
    if (group.empty()) continue;
    const Expr part = Sum(group, term);
    sum = sum == nullptr ? part : sum + part;
  }
  return sum;
}

class Builder {
 public:
  Builder(const Conv2dShape& shape, const WinogradTransform& transform, LoopNest& nest, std::vector<Stmt>& stmts)
      : s_(shape), t_(transform), nest_(nest), stmts_(stmts) {
    g_ = AddBuffer("G", {t_.a, 3}, Role::kLiteral, transform.filter);
    bt_ = AddBuffer("BT", {t_.a, t_.a}, Role::kLiteral, transform.input);
    at_ = AddBuffer("AT", {t_.m, t_.a}, Role::kLiteral, transform.output);
  }

  void TransformFilter(int weight) {
    const int rows = AddBuffer("filter_rows", {co_, ci_, s_.input_block, s_.channel_block, 3, a_}, Role::kTemporary);
    filter_ = AddBuffer("filter", {a_, a_, co_, ci_, s_.input_block, s_.channel_block}, Role::kPrepared);
    const std::vector<Axis> channels = {{"co", co_}, {"ci", ci_}, {"l", s_.input_block}, {"c", s_.channel_block}};

    NestedBlock first("filter_rows", "filter_rows_", With(channels, {{"kw", 3}, {"xi", a_}}));
    const Channel co = ChannelAt(first.At("co"), first.At("c"), s_.channel_block, s_.co);
    const Channel ci = ChannelAt(first.At("ci"), first.At("l"), s_.input_block, s_.ci);
    const Expr sum = TransformSum(3, Pairing::kAlternate, t_.stride, [&](int64_t kh) {
      return F32Load(g_, {first.At("xi"), Int(kh)}) * F32Load(weight, {co.index, ci.index, Int(kh), first.At("kw")});
    });
    Assign(first, rows, {"co", "ci", "l", "c", "kw", "xi"}, WhereExists(BothHold(co.exists, ci.exists), sum));

    NestedBlock second("filter", "filter_", With(channels, {{"xi", a_}, {"nu", a_}}));
    const Expr value = TransformSum(3, Pairing::kAlternate, t_.stride, [&](int64_t kw) {
      std::vector<Expr> at = second.AtAll({"co", "ci", "l", "c"});
      at.insert(at.end(), {Int(kw), second.At("xi")});
      return F32Load(rows, std::move(at)) * F32Load(g_, {second.At("nu"), Int(kw)});
    });
    Assign(second, filter_, {"xi", "nu", "co", "ci", "l", "c"}, value);
    nest_.prepare = MakeSeq(std::move(stmts_));
    stmts_.clear();
  }

  void TransformInput(int data) {
    const int patch = AddBuffer("patch", {s_.n, th_, tw_, ci_, a_, a_, s_.input_block}, Role::kTemporary);
    const int rows = AddBuffer("patch_rows", {s_.n, th_, tw_, ci_, a_, a_, s_.input_block}, Role::kTemporary);
    patches_ = AddBuffer("patches", {a_, a_, s_.n, th_, tw_, ci_, s_.input_block}, Role::kTemporary);
    const std::vector<Axis> tiles = {{"n", s_.n}, {"th", th_}, {"tw", tw_}, {"ci", ci_}};
    const Axis lane = {"l", s_.input_block};

    NestedBlock copy("patch", "patch_", With(tiles, {{"j", a_}, {"i", a_}, lane}));
    const Expr ih = copy.At("th") * Int(t_.m * t_.stride) + copy.At("i") - Int(s_.ph);
    const Expr iw = copy.At("tw") * Int(t_.m * t_.stride) + copy.At("j") - Int(s_.pw);
    // What no window of an output sees may be of any magnitude, which would spoil the bound on the error.
    const int64_t h = std::min(s_.h, (s_.OutputHeight() - 1) * s_.sh + s_.kh - s_.ph);
    const int64_t w = std::min(s_.w, (s_.OutputWidth() - 1) * s_.sw + s_.kw - s_.pw);
    const Expr inside = And(And(LessEqual(Int(0), ih), Less(ih, Int(h))),  //
                            And(LessEqual(Int(0), iw), Less(iw, Int(w))));
    Assign(copy, patch, {"n", "th", "tw", "ci", "j", "i", "l"},
           Select(inside, F32Load(data, {copy.At("n"), copy.At("ci"), ih, iw, copy.At("l")}), F32(0)));

    NestedBlock first("patch_rows", "patch_rows_", With(tiles, {{"j", a_}, {"xi", a_}, lane}));
    Assign(first, rows, {"n", "th", "tw", "ci", "j", "xi", "l"},
           TransformSum(a_, Pairing::kAlternate, t_.stride, [&](int64_t i) {
             std::vector<Expr> at = first.AtAll({"n", "th", "tw", "ci", "j"});
             at.insert(at.end(), {Int(i), first.At("l")});
             return F32Load(bt_, {first.At("xi"), Int(i)}) * F32Load(patch, std::move(at));
           }));

    NestedBlock second("patches", "patches_", With(tiles, {{"xi", a_}, {"nu", a_}, lane}));
    Assign(second, patches_, {"xi", "nu", "n", "th", "tw", "ci", "l"},
           TransformSum(a_, Pairing::kAlternate, t_.stride, [&](int64_t j) {
             std::vector<Expr> at = second.AtAll({"n", "th", "tw", "ci"});
             at.insert(at.end(), {Int(j), second.At("xi"), second.At("l")});
             return F32Load(rows, std::move(at)) * F32Load(bt_, {second.At("nu"), Int(j)});
           }));
  }

  void Multiply() {
    products_ = AddBuffer("products", {a_, a_, s_.n, th_, tw_, co_, s_.channel_block}, Role::kTemporary);
    NestedBlock nested("multiply", "multiply_",
                       {{"xi", a_},
                        {"nu", a_},
                        {"n", s_.n},
                        {"th", th_},
                        {"tw", tw_},
                        {"co", co_},
                        {"c", s_.channel_block},
                        {"ci", ci_, IterKind::kReduction},
                        {"l", s_.input_block, IterKind::kReduction}});
    const Channel ci = ChannelAt(nested.At("ci"), nested.At("l"), s_.input_block, s_.ci);
    if (ci.exists != nullptr) nested.block().guard = {ci.exists};  // padding lanes add nothing
    const std::vector<Expr> at = nested.AtAll({"xi", "nu", "n", "th", "tw", "co", "c"});
    nested.block().init = {Store{products_, at, StoreOp::kAssign, F32(0)}};
    nested.block().body = {Store{products_, at, StoreOp::kAdd,
                                 F32Load(patches_, nested.AtAll({"xi", "nu", "n", "th", "tw", "ci", "l"})) *
                                     F32Load(filter_, nested.AtAll({"xi", "nu", "co", "ci", "l", "c"}))}};
    stmts_.push_back(nested.Finish(nest_));
  }

  OutputAxes TransformOutput(int output) {
    const int rows = AddBuffer("tile_rows", {s_.n, th_, tw_, co_, t_.m, a_, s_.channel_block}, Role::kTemporary);
    NestedBlock first(
        "tile_rows", "tile_rows_",
        {{"n", s_.n}, {"th", th_}, {"tw", tw_}, {"co", co_}, {"nu", a_}, {"i", t_.m}, {"c", s_.channel_block}});
    Assign(first, rows, {"n", "th", "tw", "co", "i", "nu", "c"},
           TransformSum(a_, Pairing::kNeighbours, t_.stride, [&](int64_t xi) {
             std::vector<Expr> at = {Int(xi)};
             for (const Expr& index : first.AtAll({"nu", "n", "th", "tw", "co", "c"})) at.push_back(index);
             return F32Load(at_, {first.At("i"), Int(xi)}) * F32Load(products_, std::move(at));
           }));

    OutputAxes out{.indices = {"n", "co", "oh", "ow", "c"},
                   .channel_outer = "co",
                   .channel_lane = "c",
                   .block = s_.channel_block,
                   .channels = s_.co};
    out.axes = {{"n", s_.n}, {"co", co_}, {"oh", s_.OutputHeight()}, {"ow", s_.OutputWidth()}, {"c", s_.channel_block}};
    NestedBlock second("conv2d", "", out.axes);
    const Expr m = Int(t_.m);
    Assign(second, output, out.indices, TransformSum(a_, Pairing::kNeighbours, t_.stride, [&](int64_t nu) {
             std::vector<Expr> at = {second.At("n"),  FloorDiv(second.At("oh"), m), FloorDiv(second.At("ow"), m),
                                     second.At("co"), FloorMod(second.At("oh"), m), Int(nu),
                                     second.At("c")};
             return F32Load(rows, std::move(at)) * F32Load(at_, {FloorMod(second.At("ow"), m), Int(nu)});
           }));
    return out;
  }

 private:
  static std::vector<Axis> With(std::vector<Axis> axes, const std::vector<Axis>& more) {
    axes.insert(axes.end(), more.begin(), more.end());
    return axes;
  }

  int AddBuffer(std::string name, std::vector<int64_t> shape, Role role, std::vector<double> literal = {}) {
    nest_.buffers.push_back({.name = std::move(name),
                             .type = ScalarType::kFloat32,
                             .shape = std::move(shape),
                             .role = role,
                             .scope = role == Role::kTemporary ? Scope::kWorkspace : Scope::kGlobal,
                             .literal = std::move(literal)});
    return static_cast<int>(nest_.buffers.size()) - 1;
  }

  void Assign(NestedBlock& nested, int buffer, const std::vector<std::string>& indices, const Expr& value) {
    nested.block().body = {Store{buffer, nested.AtAll(indices), StoreOp::kAssign, value}};
    stmts_.push_back(nested.Finish(nest_));
  }

  const Conv2dShape& s_;
  const WinogradTransform& t_;
  LoopNest& nest_;
  std::vector<Stmt>& stmts_;
  const int64_t a_ = t_.a;
  const int64_t th_ = (s_.OutputHeight() + t_.m - 1) / t_.m;
  const int64_t tw_ = (s_.OutputWidth() + t_.m - 1) / t_.m;
  const int64_t co_ = (s_.co + s_.channel_block - 1) / s_.channel_block;
  const int64_t ci_ = (s_.ci + s_.input_block - 1) / s_.input_block;
  int g_, bt_, at_, filter_, patches_, products_;
};

}  // namespace

bool WinogradApplies(const Conv2dShape& s, const WinogradTransform& transform) {
  return s.dtype == v1::DATA_TYPE_FLOAT32 && !s.depthwise && s.kh == 3 && s.kw == 3 && s.sh == transform.stride &&
         s.sw == transform.stride && s.d == 1 && s.channel_block != 0 && s.input_block != 0 &&
         WinogradErrorIsBounded(transform, s.ci);
}

OutputAxes AddWinograd(const Conv2dShape& shape, const WinogradTransform& transform, int data, int weight, int output,
                       LoopNest& nest, std::vector<Stmt>& stmts) {
  Builder builder(shape, transform, nest, stmts);
  builder.TransformFilter(weight);
  builder.TransformInput(data);
  builder.Multiply();
  return builder.TransformOutput(output);
}

}  // namespace tunefleet::codegen
