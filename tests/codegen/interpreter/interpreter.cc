#include "tests/codegen/interpreter/interpreter.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "tests/codegen/interpreter/program.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kNobody = 0;
constexpr int64_t kSeveral = -1;

struct Element {
  double value = 0;
  bool defined = false;
  int64_t writer = kNobody;  // task of the parallel loop `epoch`
  int64_t reader = kNobody;  // the same, kSeveral for more than one
  int64_t epoch = 0;         // which run of a parallel loop the two fields speak of
};

double Round(double value, ScalarType type) {
  switch (type) {
    case ScalarType::kFloat32:
      return static_cast<float>(value);
    case ScalarType::kInt32:
      return static_cast<int32_t>(static_cast<int64_t>(value));
    case ScalarType::kInt8:
      return static_cast<int8_t>(static_cast<int64_t>(value));
    default:
      return value;
  }
}

double WrapInteger(int64_t value, ScalarType type) {
  return type == ScalarType::kInt8 ? static_cast<int8_t>(value) : static_cast<int32_t>(value);
}

class Machine {
 public:
  Machine(const LoopNest& nest, const Program& program, const InterpretOptions& options)
      : nest_(nest), options_(options), random_(options.seed), slots_(program.num_slots, 0) {
    for (const Buffer& buffer : nest.buffers) memory_.emplace_back(buffer.NumElements());
  }

  absl::Status Load(const Buffers& inputs) {
    for (size_t i = 0; i < nest_.buffers.size(); ++i) {
      const Buffer& buffer = nest_.buffers[i];
      for (size_t j = 0; j < buffer.literal.size(); ++j) {
        memory_[i][j].value = Round(buffer.literal[j], buffer.type);
        memory_[i][j].defined = true;
      }
      if (buffer.role != Role::kInput && buffer.role != Role::kConstant) continue;
      const auto found = inputs.find(buffer.name);
      if (found == inputs.end() || found->second.size() != memory_[i].size()) {
        return absl::InvalidArgumentError(absl::StrCat("buffer ", buffer.name, ": ", memory_[i].size(),
                                                       " values expected, got ",
                                                       found == inputs.end() ? 0 : found->second.size()));
      }
      for (size_t j = 0; j < memory_[i].size(); ++j) {
        memory_[i][j].value = Round(found->second[j], buffer.type);
        memory_[i][j].defined = true;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Run(const Step& step) {
    Execute(step);
    return status_;
  }

  absl::StatusOr<Buffers> Outputs() const {
    Buffers outputs;
    for (size_t i = 0; i < nest_.buffers.size(); ++i) {
      if (nest_.buffers[i].role != Role::kOutput) continue;
      std::vector<double>& values = outputs[nest_.buffers[i].name];
      for (const Element& element : memory_[i]) {
        if (!element.defined) {
          return absl::FailedPreconditionError(
              absl::StrCat("output ", nest_.buffers[i].name, ": element ", values.size(), " was never written"));
        }
        values.push_back(element.value);
      }
    }
    return outputs;
  }

 private:
  void Execute(const Step& step) {
    if (!status_.ok()) return;
    for (const int buffer : step.undefines) std::fill(memory_[buffer].begin(), memory_[buffer].end(), Element{});
    if (step.loop != nullptr) {
      ExecuteLoop(step);
    } else if (step.block != nullptr) {
      ExecuteBlock(*step.block);
    } else if (step.branch == nullptr || EvalIndex(step.begin) != 0) {
      for (const Step& child : step.children) Execute(child);
    }
  }

  void ExecuteLoop(const Step& step) {
    const int64_t begin = EvalIndex(step.begin);
    const int64_t extent = EvalIndex(step.extent);
    if (extent <= 0) return;
    const bool is_parallel = step.loop->kind == LoopKind::kParallel && epoch_ == 0;
    if (is_parallel) epoch_ = ++last_epoch_;
    for (const int64_t i : Order(step.loop->kind, extent)) {
      slots_[step.slot] = begin + i;
      if (is_parallel) task_ = i + 1;
      Execute(step.children[0]);
      if (!status_.ok()) break;
    }
    if (is_parallel) epoch_ = 0;
  }

  std::vector<int64_t> Order(LoopKind kind, int64_t extent) {
    std::vector<int64_t> order(extent);
    std::iota(order.begin(), order.end(), 0);
    if (kind == LoopKind::kSerial || kind == LoopKind::kUnrolled || kind == LoopKind::kTensorized) return order;
    if (options_.concurrent_order == IterationOrder::kReverse) std::reverse(order.begin(), order.end());
    if (options_.concurrent_order == IterationOrder::kShuffled) std::shuffle(order.begin(), order.end(), random_);
    return order;
  }

  void ExecuteBlock(const BlockCode& code) {
    if (!AllHold(code.predicate)) return;
    block_ = &code;
    bool starts_reduction = true;
    std::vector<int64_t> iters;
    for (const Code& binding : code.bindings) iters.push_back(EvalIndex(binding));
    for (size_t i = 0; i < iters.size(); ++i) {
      const BlockIter& iter = code.block->iters[i];
      slots_[code.slots[i]] = iters[i];
      if (iter.kind == IterKind::kReduction && iters[i] != 0) starts_reduction = false;
    }
    for (size_t i = 0; i < iters.size(); ++i) {
      const BlockIter& iter = code.block->iters[i];
      if (iters[i] < 0 || iters[i] >= iter.extent) {
        Fail(absl::StrCat("iterator ", iter.var->name, " leaves [0, ", iter.extent, ")"));
      }
    }
    if (starts_reduction) Execute(code.init);
    if (AllHold(code.guard)) Execute(code.body);
    block_ = nullptr;
  }

  void Execute(const std::vector<StoreCode>& stores) {
    for (const StoreCode& store : stores) {
      if (!status_.ok()) return;
      const double value = EvalData(store.value);
      const std::vector<int64_t> indices = EvalIndices(store.indices);
      Element* element = Access(store.buffer, indices, block_->writes, "write of");
      if (element == nullptr) return;
      const ScalarType type = nest_.buffers[store.buffer].type;
      if (store.op == StoreOp::kAssign) {
        element->value = value;
      } else {
        if (!element->defined) return Fail(absl::StrCat("update of undefined ", Describe(store.buffer, indices)));
        element->value =
            Apply(store.op == StoreOp::kAdd ? BinaryOp::kAdd : BinaryOp::kMax, element->value, value, type);
      }
      element->defined = true;
      Touch(store.buffer, indices, /*writes=*/true, element);
    }
  }

  bool AllHold(const std::vector<Code>& conditions) {
    return std::all_of(conditions.begin(), conditions.end(), [this](const Code& c) { return EvalIndex(c) != 0; });
  }

  std::vector<int64_t> EvalIndices(const std::vector<Code>& codes) {
    std::vector<int64_t> indices;
    indices.reserve(codes.size());
    for (const Code& code : codes) indices.push_back(EvalIndex(code));
    return indices;
  }

  // Indices and bools.
  int64_t EvalIndex(const Code& code) {
    switch (code.node.kind) {
      case ExprKind::kInt:
        return code.node.int_value;
      case ExprKind::kVar:
        return slots_[code.slot];
      case ExprKind::kSelect:
        return EvalIndex(code.operands[EvalIndex(code.operands[0]) != 0 ? 1 : 2]);
      case ExprKind::kCast:
        return static_cast<int64_t>(EvalData(code.operands[0]));
      case ExprKind::kBinary: {
        const ScalarType type = code.operands[0].node.type;
        if (type != ScalarType::kIndex && type != ScalarType::kBool) return Compare(code);
        const std::optional<int64_t> result =
            EvaluateInts(code.node.op, EvalIndex(code.operands[0]), EvalIndex(code.operands[1]));
        if (!result) Fail("an index overflows or is divided by zero");
        return result.value_or(0);
      }
      default:
        Fail("no index expression");
        return 0;
    }
  }

  int64_t Compare(const Code& code) {
    const double a = EvalData(code.operands[0]);
    const double b = EvalData(code.operands[1]);
    return code.node.op == BinaryOp::kLess ? a < b : code.node.op == BinaryOp::kLessEqual ? a <= b : a == b;
  }

  double EvalData(const Code& code) {
    switch (code.node.kind) {
      case ExprKind::kInt:
        return static_cast<double>(code.node.int_value);
      case ExprKind::kFloat:
        return code.node.float_value;
      case ExprKind::kSelect:
        return EvalData(code.operands[EvalIndex(code.operands[0]) != 0 ? 1 : 2]);
      case ExprKind::kCast: {
        const ScalarType from = code.operands[0].node.type;
        const bool is_index = from == ScalarType::kIndex || from == ScalarType::kBool;
        return Round(is_index ? static_cast<double>(EvalIndex(code.operands[0])) : EvalData(code.operands[0]),
                     code.node.type);
      }
      case ExprKind::kBinary: {
        const double a = EvalData(code.operands[0]);
        const double b = EvalData(code.operands[1]);
        return Apply(code.node.op, a, b, code.node.type);
      }
      case ExprKind::kLoad: {
        const std::vector<int64_t> indices = EvalIndices(code.operands);
        Element* element = Access(code.node.buffer, indices, block_->reads, "read of");
        if (element == nullptr) return 0;
        if (!element->defined) Fail(absl::StrCat("read of undefined ", Describe(code.node.buffer, indices)));
        Touch(code.node.buffer, indices, /*writes=*/false, element);
        return element->value;
      }
      case ExprKind::kVar:
        break;
    }
    Fail("no data expression");
    return 0;
  }

  double Apply(BinaryOp op, double a, double b, ScalarType type) {
    if (op == BinaryOp::kMin) return std::min(a, b);
    if (op == BinaryOp::kMax) return std::max(a, b);
    if (!IsFloat(type)) {
      const std::optional<int64_t> result = EvaluateInts(op, static_cast<int64_t>(a), static_cast<int64_t>(b));
      if (!result) Fail("an integer operation has no value");
      return WrapInteger(result.value_or(0), type);
    }
    switch (op) {
      case BinaryOp::kAdd:
        return Round(a + b, type);
      case BinaryOp::kSub:
        return Round(a - b, type);
      case BinaryOp::kMul:
        return Round(a * b, type);
      case BinaryOp::kDiv:
        return Round(a / b, type);
      default:
        Fail("an operation that floats do not have");
        return 0;
    }
  }

  Element* Access(int buffer, const std::vector<int64_t>& indices, const std::map<int, RegionCode>& regions,
                  absl::string_view what) {
    if (!status_.ok()) return nullptr;
    const Buffer& target = nest_.buffers[buffer];
    int64_t offset = 0;
    for (size_t d = 0; d < indices.size(); ++d) {
      if (indices[d] < 0 || indices[d] >= target.shape[d]) {
        Fail(absl::StrCat(what, " ", Describe(buffer, indices), " outside its shape"));
        return nullptr;
      }
      offset = offset * target.shape[d] + indices[d];
    }
    if (block_->declares_regions && !IsDeclared(buffer, indices, regions)) {
      Fail(absl::StrCat(what, " ", Describe(buffer, indices), " outside the declared regions"));
      return nullptr;
    }
    return &memory_[buffer][offset];
  }

  bool IsDeclared(int buffer, const std::vector<int64_t>& indices, const std::map<int, RegionCode>& regions) {
    const auto found = regions.find(buffer);
    if (found == regions.end()) return false;
    for (size_t d = 0; d < indices.size(); ++d) {
      const int64_t begin = EvalIndex(found->second.begins[d]);
      if (indices[d] < begin || indices[d] >= begin + found->second.extents[d]) return false;
    }
    return true;
  }

  // Notes who touches the element, and finds tasks of one parallel loop that would race.
  void Touch(int buffer, const std::vector<int64_t>& indices, bool writes, Element* element) {
    if (epoch_ == 0) return;
    if (element->epoch != epoch_) {
      element->epoch = epoch_;
      element->writer = element->reader = kNobody;
    }
    const bool foreign_writer = element->writer != kNobody && element->writer != task_;
    const bool foreign_reader = element->reader != kNobody && element->reader != task_;
    if (foreign_writer || (writes && foreign_reader)) {
      return Fail(absl::StrCat("parallel tasks race for ", Describe(buffer, indices)));
    }
    if (writes) {
      element->writer = task_;
    } else {
      element->reader = foreign_reader ? kSeveral : task_;
    }
  }

  std::string Describe(int buffer, const std::vector<int64_t>& indices) const {
    return absl::StrCat(nest_.buffers[buffer].name, "[", absl::StrJoin(indices, ", "), "]");
  }

  void Fail(absl::string_view message) {
    if (!status_.ok()) return;
    std::string place = "a loop or a condition";
    if (block_ != nullptr) {
      std::vector<std::string> iters;
      for (size_t i = 0; i < block_->slots.size(); ++i) {
        iters.push_back(absl::StrCat(block_->block->iters[i].var->name, "=", slots_[block_->slots[i]]));
      }
      place = absl::StrCat("block ", block_->block->name, "(", absl::StrJoin(iters, ", "), ")");
    }
    status_ = absl::FailedPreconditionError(absl::StrCat(place, ": ", message));
  }

  const LoopNest& nest_;
  const InterpretOptions& options_;
  std::mt19937_64 random_;
  std::vector<int64_t> slots_;
  std::vector<std::vector<Element>> memory_;
  const BlockCode* block_ = nullptr;  // the one that runs
  int64_t epoch_ = 0;                 // 0: outside parallel loops
  int64_t last_epoch_ = 0;
  int64_t task_ = 0;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Buffers> Interpret(const LoopNest& nest, const Buffers& inputs, const InterpretOptions& options) {
  TF_ASSIGN_OR_RETURN(const Program program, Compile(nest));
  Machine machine(nest, program, options);
  TF_RETURN_IF_ERROR(machine.Load(inputs));
  if (program.has_prepare) TF_RETURN_IF_ERROR(machine.Run(program.prepare));
  TF_RETURN_IF_ERROR(machine.Run(program.run));
  return machine.Outputs();
}

}  // namespace tunefleet::codegen
