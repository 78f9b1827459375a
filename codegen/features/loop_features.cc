#include "codegen/features/loop_features.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace tunefleet::codegen {
namespace {

constexpr LoopKind kKinds[] = {LoopKind::kSerial, LoopKind::kParallel, LoopKind::kVectorized, LoopKind::kUnrolled};
constexpr const char* kKindNames[] = {"serial", "parallel", "vectorized", "unrolled"};

// Thresholds 2^first, 2^(first + step), ...
constexpr int kThresholds = 12;
struct RelationAxis {
  const char* name;
  double LoopContext::*value;
  double first;
  double step;
};
constexpr RelationAxis kRelationAxes[] = {{"touched_bytes", &LoopContext::touched_bytes, 6, 2},
                                          {"bottom_up", &LoopContext::bottom_up, 2, 2}};

float Log(double value) { return static_cast<float>(std::log2(1.0 + std::max(value, 0.0))); }

double Iterations(const LoopOutline& outline, const OutlineBlock& block, size_t from) {
  double product = 1;
  for (size_t i = from; i < block.loops.size(); ++i)
    product *= static_cast<double>(outline.loops[block.loops[i]].extent);
  return product;
}

// Distinct elements that the access touches while the block's loops from number `from` run.
double TouchedElements(const LoopOutline& outline, const OutlineBlock& block, const OutlineAccess& access,
                       size_t from) {
  double box = 1;
  for (size_t d = 0; d < access.shape.size(); ++d) {
    double span = 1;
    for (size_t i = from; i < block.loops.size(); ++i) {
      span += std::abs(access.steps[i][d]) * static_cast<double>(outline.loops[block.loops[i]].extent - 1);
    }
    box *= std::min(span, static_cast<double>(access.shape[d]));
  }
  double visits = 1;  // of the loops that move the access at all
  for (size_t i = from; i < block.loops.size(); ++i) {
    const bool moves = std::any_of(access.steps[i].begin(), access.steps[i].end(), [](double s) { return s != 0; });
    if (moves) visits *= static_cast<double>(outline.loops[block.loops[i]].extent);
  }
  return std::max(0.0, std::min(box, visits));
}

LoopContext ContextOf(const LoopOutline& outline, const OutlineBlock& block, size_t at) {
  const OutlineLoop& loop = outline.loops[block.loops[at]];
  LoopContext context;
  context.extent = static_cast<double>(loop.extent);
  context.kind = loop.kind;
  context.bottom_up = Iterations(outline, block, at);
  context.top_down = 1;
  for (size_t i = 0; i < at; ++i) context.top_down *= static_cast<double>(outline.loops[block.loops[i]].extent);
  for (size_t i = 0; i < block.accesses.size(); ++i) {
    const OutlineAccess& access = block.accesses[i];
    const double elements = TouchedElements(outline, block, access, at);
    context.touched_bytes += elements * static_cast<double>(access.element_bytes);
    if (i >= kContextBuffers) continue;
    context.buffers[i] = {elements, elements > 0 ? context.bottom_up / elements : 0, access.Stride(at)};
  }
  return context;
}

// Index of the block that runs most often; the first of them. -1: there is none.
int HeaviestBlock(const LoopOutline& outline) {
  int heaviest = -1;
  double most = -1;
  for (size_t i = 0; i < outline.blocks.size(); ++i) {
    const double iterations = Iterations(outline, outline.blocks[i], 0);
    if (iterations > most) {
      most = iterations;
      heaviest = static_cast<int>(i);
    }
  }
  return heaviest;
}

// Product of the extents of the block's loops of one kind.
double KindProduct(const LoopOutline& outline, const OutlineBlock& block, LoopKind kind) {
  double product = 1;
  for (const int loop : block.loops) {
    if (outline.loops[loop].kind == kind) product *= static_cast<double>(outline.loops[loop].extent);
  }
  return product;
}

const std::vector<std::string>& TotalNames() {
  static const auto& names = *new std::vector<std::string>{"total.iterations",
                                                           "total.heaviest_share",
                                                           "total.blocks",
                                                           "total.loops",
                                                           "total.unrolled",
                                                           "total.heaviest_vectorized",
                                                           "total.heaviest_unrolled",
                                                           "total.heaviest_parallel",
                                                           "total.touched_bytes"};
  return names;
}

std::vector<float> TotalValues(const LoopOutline& outline) {
  const int heaviest = HeaviestBlock(outline);
  if (heaviest < 0) return std::vector<float>(TotalNames().size(), 0.0F);
  const OutlineBlock& main = outline.blocks[heaviest];
  double iterations = 0;
  double unrolled = 0;
  for (const OutlineBlock& block : outline.blocks) {
    iterations += Iterations(outline, block, 0);
    unrolled += KindProduct(outline, block, LoopKind::kUnrolled);
  }
  double touched_bytes = 0;
  for (const OutlineAccess& access : main.accesses) {
    touched_bytes += TouchedElements(outline, main, access, 0) * static_cast<double>(access.element_bytes);
  }
  return {Log(iterations),
          iterations > 0 ? static_cast<float>(Iterations(outline, main, 0) / iterations) : 0.0F,
          Log(static_cast<double>(outline.blocks.size())),
          Log(static_cast<double>(outline.loops.size())),
          Log(unrolled),
          Log(KindProduct(outline, main, LoopKind::kVectorized)),
          Log(KindProduct(outline, main, LoopKind::kUnrolled)),
          Log(KindProduct(outline, main, LoopKind::kParallel)),
          Log(touched_bytes)};
}

}  // namespace

std::vector<LoopContext> LoopContexts(const LoopOutline& outline) {
  std::vector<LoopContext> contexts(outline.loops.size());
  std::vector<double> most(outline.loops.size(), -1);
  for (const OutlineBlock& block : outline.blocks) {
    const double iterations = Iterations(outline, block, 0);
    for (size_t at = 0; at < block.loops.size(); ++at) {
      const int loop = block.loops[at];
      if (iterations <= most[loop]) continue;
      most[loop] = iterations;
      contexts[loop] = ContextOf(outline, block, at);
    }
  }
  return contexts;
}

const std::vector<std::string>& ContextNames() {
  static const auto& names = *[] {
    auto* built = new std::vector<std::string>{"extent"};
    for (const char* kind : kKindNames) built->push_back(kind);
    built->insert(built->end(), {"top_down", "bottom_up"});
    for (int i = 0; i < kContextBuffers; ++i) {
      for (const char* what : {"elements", "reuse", "stride"}) built->push_back(absl::StrCat("buffer", i, ".", what));
    }
    built->push_back("touched_bytes");
    return built;
  }();
  return names;
}

std::vector<float> ContextValues(const LoopContext& context) {
  std::vector<float> values = {Log(context.extent)};
  for (const LoopKind kind : kKinds) values.push_back(context.kind == kind ? 1.0F : 0.0F);
  values.push_back(Log(context.top_down));
  values.push_back(Log(context.bottom_up));
  for (const LoopContext::Touch& touch : context.buffers) {
    values.push_back(Log(touch.elements));
    values.push_back(Log(touch.reuse));
    values.push_back(Log(std::abs(touch.stride)));
  }
  values.push_back(Log(context.touched_bytes));
  return values;
}

const std::vector<std::string>& FeatureNames() {
  static const auto& names = *[] {
    auto* built = new std::vector<std::string>;
    for (const RelationAxis& axis : kRelationAxes) {
      for (int t = 0; t < kThresholds; ++t) {
        for (const std::string& name : ContextNames()) {
          built->push_back(absl::StrCat(name, "|", axis.name, "<2^", axis.first + axis.step * t));
        }
      }
    }
    built->insert(built->end(), TotalNames().begin(), TotalNames().end());
    return built;
  }();
  return names;
}

std::vector<float> FixedFeatures(const LoopOutline& outline) {
  const std::vector<LoopContext> contexts = LoopContexts(outline);
  std::vector<std::vector<float>> rows;
  for (const LoopContext& context : contexts) rows.push_back(ContextValues(context));
  std::vector<float> features;
  features.reserve(FeatureNames().size());
  for (const RelationAxis& axis : kRelationAxes) {
    for (int t = 0; t < kThresholds; ++t) {
      const double threshold = std::exp2(axis.first + axis.step * t);
      std::vector<float> largest(ContextNames().size(), 0.0F);
      for (size_t k = 0; k < contexts.size(); ++k) {
        if (!(contexts[k].*axis.value < threshold)) continue;
        for (size_t i = 0; i < largest.size(); ++i) largest[i] = std::max(largest[i], rows[k][i]);
      }
      features.insert(features.end(), largest.begin(), largest.end());
    }
  }
  const std::vector<float> totals = TotalValues(outline);
  features.insert(features.end(), totals.begin(), totals.end());
  return features;
}

}  // namespace tunefleet::codegen
