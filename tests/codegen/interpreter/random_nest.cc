#include "tests/codegen/interpreter/random_nest.h"

#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

namespace tunefleet::codegen {
namespace {

class Generator {
 public:
  explicit Generator(absl::BitGenRef random) : random_(random) {}

  LoopNest Run() {
    static constexpr ScalarType kTypes[] = {ScalarType::kFloat32, ScalarType::kFloat32, ScalarType::kFloat64,
                                            ScalarType::kInt32};
    type_ = kTypes[Below(4)];
    nest_.name = "random";
    std::vector<int64_t> shape;
    for (int64_t rank = 1 + Below(3); rank > 0; --rank) shape.push_back(1 + Below(6));
    current_ = AddBuffer("in", shape, Role::kInput);
    const int64_t num_blocks = 1 + Below(3);
    for (int64_t i = 0; i < num_blocks; ++i) {
      is_last_ = i + 1 == num_blocks;
      block_ = {};
      block_.name = absl::StrCat("b", i);
      AddStage();
    }
    nest_.run = MakeSeq(std::move(stmts_));
    return std::move(nest_);
  }

 private:
  int64_t Below(int64_t bound) { return absl::Uniform<int64_t>(random_, 0, bound); }

  int AddBuffer(std::string name, std::vector<int64_t> shape, Role role) {
    nest_.buffers.push_back({std::move(name), type_, std::move(shape), role});
    return static_cast<int>(nest_.buffers.size()) - 1;
  }

  int AddWeights(std::vector<int64_t> shape) {
    return AddBuffer(absl::StrCat("w", block_.name), std::move(shape), Role::kConstant);
  }

  // The tensor that the block makes; it becomes the next block's input.
  int AddResult(std::vector<int64_t> shape) {
    return is_last_ ? AddBuffer("out", std::move(shape), Role::kOutput)
                    : AddBuffer(absl::StrCat("t", block_.name.substr(1)), std::move(shape), Role::kTemporary);
  }

  std::vector<int64_t> Shape() const { return nest_.buffers[current_].shape; }

  // A new iterator with a loop of its own.
  Expr Iter(std::string name, int64_t extent, IterKind kind) {
    const Var loop = MakeVar(absl::StrCat(block_.name, ".", name));
    const Var iter = MakeVar(std::move(name));
    block_.iters.push_back({iter, kind, extent, VarRef(loop)});
    return VarRef(iter);
  }

  std::vector<Expr> SpatialIters(const std::vector<int64_t>& shape) {
    std::vector<Expr> iters;
    for (size_t d = 0; d < shape.size(); ++d) {
      iters.push_back(Iter(std::string(1, static_cast<char>('i' + d)), shape[d], IterKind::kSpatial));
    }
    return iters;
  }

  Expr Read(int buffer, std::vector<Expr> indices) { return Load(buffer, type_, std::move(indices)); }
  Expr Constant(int64_t value) {
    return IsFloat(type_) ? Float(static_cast<double>(value), type_) : Cast(type_, Int(value));
  }

  // Wraps the block into its loops and appends it.
  void Finish(int result) {
    block_ = WithInferredRegions(nest_, std::move(block_));
    const std::vector<BlockIter> iters = block_.iters;
    Stmt stmt = MakeStmt(std::move(block_));
    for (auto iter = iters.rbegin(); iter != iters.rend(); ++iter) {
      stmt = MakeStmt(Loop{iter->binding->var, Int(0), Int(iter->extent), LoopKind::kSerial, std::move(stmt)});
    }
    stmts_.push_back(std::move(stmt));
    current_ = result;
  }

  void AddStage() {
    const size_t rank = Shape().size();
    switch (Below(6)) {
      case 0:
        return rank > 1 && Below(2) == 0 ? Transpose() : Elementwise();
      case 1:
        return rank == 3 ? Convolution2d() : Window();
      case 2:
        return Matmul();
      case 3:
        return rank > 1 ? ReduceLast() : Window();
      case 4:
        return Window();
      default:
        return Elementwise();
    }
  }

  void Elementwise() {
    const std::vector<int64_t> shape = Shape();
    const std::vector<Expr> iters = SpatialIters(shape);
    Expr value = Read(current_, iters);
    switch (Below(5)) {
      case 0:
        value = value * Constant(2) + Read(AddWeights({shape.back()}), {iters.back()});
        break;
      case 1:
        value = Max(value, Constant(0));
        break;
      case 2: {  // the left neighbour, where there is one
        std::vector<Expr> left = iters;
        left.back() = left.back() - Int(1);
        value = Select(LessEqual(Int(1), iters.back()), value + Read(current_, left), value);
        break;
      }
      case 3:
        value = Select(Less(iters.front(), Int(1 + Below(3))), value, Constant(1) - value);
        break;
      default:
        value = value + Constant(3);
        break;
    }
    for (int i = 0; i < static_cast<int>(nest_.buffers.size()); ++i) {
      const Role role = nest_.buffers[i].role;
      const bool is_tensor = role == Role::kInput || role == Role::kTemporary;
      if (is_tensor && i != current_ && nest_.buffers[i].shape == shape && Below(2) == 0) {
        value = value - Read(i, iters);
        break;
      }
    }
    const int result = AddResult(shape);
    block_.body.push_back({result, iters, StoreOp::kAssign, value});
    Finish(result);
  }

  void Transpose() {
    std::vector<int64_t> shape = Shape();
    std::swap(shape.front(), shape.back());
    const std::vector<Expr> iters = SpatialIters(shape);
    std::vector<Expr> indices = iters;
    std::swap(indices.front(), indices.back());
    const int result = AddResult(shape);
    block_.body.push_back({result, iters, StoreOp::kAssign, Read(current_, indices)});
    Finish(result);
  }

  // A tap of a window that slides over an axis of `extent` elements: the index read, over a new spatial iterator's
  // expression and a new reduction iterator, with the guard that keeps it inside. `output` is set to the result's
  // extent. Iterators are made by the two functions.
  struct Slide {
    int64_t kernel, stride, dilation, padding, output;
  };
  Slide RandomSlide(int64_t extent) {
    Slide slide{};
    slide.stride = 1 + Below(2);
    slide.dilation = 1 + Below(2);
    slide.padding = Below(3);
    do {
      slide.kernel = 1 + Below(3);
    } while (slide.dilation * (slide.kernel - 1) + 1 > extent + 2 * slide.padding);
    slide.output = (extent + 2 * slide.padding - slide.dilation * (slide.kernel - 1) - 1) / slide.stride + 1;
    return slide;
  }
  Expr Tap(const Slide& slide, const Expr& spatial, const Expr& tap, int64_t extent) {
    const Expr index = spatial * Int(slide.stride) + tap * Int(slide.dilation) - Int(slide.padding);
    if (slide.padding > 0) {
      block_.guard.push_back(LessEqual(Int(0), index));
      block_.guard.push_back(Less(index, Int(extent)));
    }
    return index;
  }

  // A convolution or max pooling along one axis.
  void Window() {
    const std::vector<int64_t> in_shape = Shape();
    const size_t axis = Below(static_cast<int64_t>(in_shape.size()));
    const Slide slide = RandomSlide(in_shape[axis]);
    std::vector<int64_t> shape = in_shape;
    shape[axis] = slide.output;
    const std::vector<Expr> iters = SpatialIters(shape);
    const Expr tap = Iter("r", slide.kernel, IterKind::kReduction);
    std::vector<Expr> indices = iters;
    indices[axis] = Tap(slide, iters[axis], tap, in_shape[axis]);
    const Expr value = Read(current_, indices);
    if (Below(3) == 0) {
      const int result = AddResult(shape);
      block_.init.push_back({result, iters, StoreOp::kAssign, Constant(-9)});
      block_.body.push_back({result, iters, StoreOp::kMax, value});
      return Finish(result);
    }
    const int weights = AddWeights({slide.kernel});
    AccumulateInto(AddResult(shape), iters, value * Read(weights, {tap}));
  }

  void Convolution2d() {
    const std::vector<int64_t> in_shape = Shape();
    const Slide rows = RandomSlide(in_shape[1]);
    const Slide columns = RandomSlide(in_shape[2]);
    const std::vector<int64_t> shape = {1 + Below(4), rows.output, columns.output};
    const std::vector<Expr> iters = SpatialIters(shape);
    const Expr channel = Iter("c", in_shape[0], IterKind::kReduction);
    const Expr y = Iter("y", rows.kernel, IterKind::kReduction);
    const Expr x = Iter("x", columns.kernel, IterKind::kReduction);
    const Expr row = Tap(rows, iters[1], y, in_shape[1]);
    const Expr column = Tap(columns, iters[2], x, in_shape[2]);
    const Expr value = Read(current_, {channel, row, column});
    const int weights = AddWeights({shape[0], in_shape[0], rows.kernel, columns.kernel});
    AccumulateInto(AddResult(shape), iters, value * Read(weights, {iters[0], channel, y, x}));
  }

  void Matmul() {
    std::vector<int64_t> shape = Shape();
    const int64_t length = shape.back();
    shape.back() = 1 + Below(7);
    const std::vector<Expr> iters = SpatialIters(shape);
    const Expr r = Iter("r", length, IterKind::kReduction);
    std::vector<Expr> indices = iters;
    indices.back() = r;
    const int weights = AddWeights({length, shape.back()});
    AccumulateInto(AddResult(shape), iters, Read(current_, indices) * Read(weights, {r, iters.back()}));
  }

  void ReduceLast() {
    std::vector<int64_t> shape = Shape();
    const int64_t length = shape.back();
    shape.pop_back();
    const std::vector<Expr> iters = SpatialIters(shape);
    std::vector<Expr> indices = iters;
    indices.push_back(Iter("r", length, IterKind::kReduction));
    AccumulateInto(AddResult(shape), iters, Read(current_, indices));
  }

  void AccumulateInto(int result, const std::vector<Expr>& iters, const Expr& value) {
    block_.init.push_back({result, iters, StoreOp::kAssign, Zero(type_)});
    block_.body.push_back({result, iters, StoreOp::kAdd, value});
    Finish(result);
  }

  absl::BitGenRef random_;
  LoopNest nest_;
  ScalarType type_ = ScalarType::kFloat32;
  std::vector<Stmt> stmts_;
  Block block_;      // being built
  int current_ = 0;  // the last tensor made
  bool is_last_ = false;
};

}  // namespace

LoopNest RandomNest(absl::BitGenRef random) { return Generator(random).Run(); }

Buffers RandomInputs(const LoopNest& nest, absl::BitGenRef random) {
  Buffers inputs;
  for (const Buffer& buffer : nest.buffers) {
    if (buffer.role != Role::kInput && buffer.role != Role::kConstant) continue;
    std::vector<double>& values = inputs[buffer.name];
    for (int64_t i = 0; i < buffer.NumElements(); ++i) {
      values.push_back(absl::Uniform<int>(absl::IntervalClosed, random, -2, 2));
    }
  }
  return inputs;
}

}  // namespace tunefleet::codegen
