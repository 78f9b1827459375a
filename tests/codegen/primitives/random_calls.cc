#include "tests/codegen/primitives/random_calls.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/schedule.h"
#include "codegen/primitives/sites.h"

namespace tunefleet::codegen {
namespace {

class CallMaker {
 public:
  CallMaker(const LoopNest& nest, int number, absl::BitGenRef random)
      : nest_(nest), random_(random), name_(absl::StrCat("x", number)) {
    for (const Stmt& root : {nest.prepare, nest.run}) {
      for (const Loop* loop : LoopsIn(root)) loops_.push_back(loop);
      for (Site& site : SitesIn(root)) sites_.push_back(std::move(site));
    }
  }

  v1::PrimitiveCall Make(const std::string& primitive) {
    ScheduleBuilder builder("random", 1);
    Add(primitive, builder);
    return builder.schedule().calls(0);
  }

 private:
  void Add(const std::string& primitive, ScheduleBuilder& builder) {
    if (primitive == "split") {
      const Loop& loop = AnyLoop();
      const int64_t factor = 1 + Below(4);
      const int64_t inner = 1 + Below(3);
      if (Below(3) == 0) {
        builder.Split(loop.var->name, {Below(2) == 0 ? 0 : 8, factor, inner}, {name_ + "a", name_ + "b", name_ + "c"});
      } else {
        builder.Split(loop.var->name, Below(2) == 0 ? std::vector<int64_t>{0, factor} : std::vector<int64_t>{factor, 0},
                      {name_ + "a", name_ + "b"});
      }
    } else if (primitive == "fuse") {
      std::vector<std::string> names = Names(AnyChain());
      const size_t first = Index(names);
      names.erase(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(first));
      names.resize(std::min<size_t>(names.size(), 2 + static_cast<size_t>(Below(2))));
      builder.Fuse(names, name_);
    } else if (primitive == "reorder") {
      std::vector<std::string> names = Names(Below(4) == 0 ? AnySite().loops : AnyChain());
      std::shuffle(names.begin(), names.end(), random_);
      names.resize(std::min<size_t>(names.size(), 2 + static_cast<size_t>(Below(3))));
      builder.Reorder(names);
    } else if (primitive == "partition") {
      const Loop& loop = AnyLoop();
      const int64_t extent = ConstantInt(loop.extent).value_or(2);
      const int64_t point = 1 + Below(std::max<int64_t>(extent - 1, 1));
      const std::string first = Below(2) == 0 ? "" : name_ + "p";
      builder.Partition(loop.var->name, {point}, {first, name_ + "q"});
    } else if (primitive == "vectorize") {
      builder.Vectorize(AnySite().loops.back()->var->name);
    } else if (primitive == "unroll") {
      builder.Unroll(AnyLoop().var->name);
    } else if (primitive == "parallel") {
      builder.Parallel(Below(2) == 0 ? AnySite().loops.front()->var->name : AnyLoop().var->name);
    } else if (primitive == "cache_read") {
      const Block& block = *AnySite().block;
      builder.CacheRead(block.name, block.reads.empty() ? "in" : BufferOf(block.reads), AnyScope(), name_);
    } else if (primitive == "cache_write") {
      const Block& block = *AnySite().block;
      builder.CacheWrite(block.name, BufferOf(block.writes), AnyScope(), name_);
    } else if (primitive == "compute_at") {
      AddComputeAt(builder);
    } else if (primitive == "reverse_compute_at") {
      AddReverseComputeAt(builder);
    } else if (primitive == "compute_inline") {
      builder.ComputeInline(AnySiteWhere([this](const Block& block) {
                              return !IsReduction(block) && IsTemporary(block.writes);
                            }).block->name);
    } else if (primitive == "set_scope") {
      builder.SetScope(Below(3) == 0 ? nest_.buffers[Below(nest_.buffers.size())].name : TemporaryName(), AnyScope());
    } else if (primitive == "prefetch") {
      builder.Prefetch(nest_.buffers[Below(nest_.buffers.size())].name, 64 * (1 + Below(64)));
    } else if (primitive == "fold_loads") {
      builder.FoldLoads(nest_.buffers[Below(nest_.buffers.size())].name);
    } else if (primitive == "decompose_reduction") {
      const Site& site = AnySiteWhere([](const Block& block) { return !block.init.empty(); });
      builder.DecomposeReduction(site.block->name, site.loops[Below(site.loops.size())]->var->name, name_);
    } else if (primitive == "accumulate_at") {
      const Site& site = AnySiteWhere([](const Block& block) { return !block.init.empty(); });
      builder.AccumulateAt(site.block->name, site.loops[Below(site.loops.size())]->var->name, AnyScope(), name_);
    } else if (primitive == "rfactor") {
      const Site& site = AnySiteWhere([](const Block& block) { return !block.init.empty(); });
      builder.RFactor(site.block->name, AnyReductionLoop(site).var->name, AnyScope(), name_);
    } else if (primitive == "transform_layout") {
      AddTransformLayout(builder);
    } else if (primitive == "pad") {
      const Block& block = *AnySite().block;
      const std::string buffer = block.reads.empty() ? "in" : BufferOf(block.reads);
      std::vector<int64_t> before, after;
      for (size_t d = 0; d < nest_.buffers[nest_.FindBuffer(buffer)].shape.size(); ++d) {
        before.push_back(Below(4));
        after.push_back(Below(4));
      }
      builder.Pad(block.name, buffer, before, after, AnyScope(), name_);
    }
  }

  // A producer, and a loop around one of its consumers.
  void AddComputeAt(ScheduleBuilder& builder) {
    const Site& consumer = AnySite();
    const BufferRegion* region =
        consumer.block->reads.empty() ? nullptr : &consumer.block->reads[Below(consumer.block->reads.size())];
    const std::vector<const Block*> writers =
        region == nullptr ? std::vector<const Block*>() : WritersOf(nest_, region->buffer);
    const Block& producer = writers.empty() ? *AnySite().block : *writers[Below(writers.size())];
    builder.ComputeAt(producer.name, consumer.loops[Below(consumer.loops.size())]->var->name);
  }

  // A consumer, and a loop around one of its producers.
  void AddReverseComputeAt(ScheduleBuilder& builder) {
    const Site& consumer =
        AnySiteWhere([this](const Block& block) { return !IsReduction(block) && IsTemporary(block.reads); });
    std::vector<const Loop*> around = loops_;
    for (const Site& site : sites_) {
      for (const BufferRegion& region : consumer.block->reads) {
        if (Writes(*site.block, region.buffer)) around = site.loops;
      }
    }
    builder.ReverseComputeAt(consumer.block->name, around[Below(around.size())]->var->name);
  }

  // One that makes a reduction iterator, when there is one.
  const Loop& AnyReductionLoop(const Site& site) {
    std::vector<const Loop*> loops;
    for (const Loop* loop : site.loops) {
      for (const BlockIter& iter : site.block->iters) {
        if (iter.kind == IterKind::kReduction && UsesVar(iter.binding, loop->var)) loops.push_back(loop);
      }
    }
    return loops.empty() ? *site.loops[Below(site.loops.size())] : *loops[Below(loops.size())];
  }

  void AddTransformLayout(ScheduleBuilder& builder) {
    std::vector<const Buffer*> candidates;
    for (const Buffer& buffer : nest_.buffers) {
      const bool is_packed = buffer.role == Role::kConstant || buffer.role == Role::kTemporary;
      if (is_packed || Below(6) == 0) candidates.push_back(&buffer);
    }
    const Buffer& buffer = candidates.empty() ? nest_.buffers[0] : *candidates[Below(candidates.size())];
    std::vector<std::string> terms;
    for (size_t d = 0; d < buffer.shape.size(); ++d) {
      if (Below(2) == 0) {
        terms.push_back(absl::StrCat(d));
        continue;
      }
      const int64_t factor = 1 + Below(4);
      terms.push_back(absl::StrCat(d, "/", factor));
      terms.push_back(absl::StrCat(d, "%", factor));
    }
    std::shuffle(terms.begin(), terms.end(), random_);
    builder.TransformLayout(buffer.name, terms, buffer.role == Role::kConstant ? name_ : "");
  }

  template <typename Integer>
  int64_t Below(Integer bound) {
    return absl::Uniform<int64_t>(random_, 0, static_cast<int64_t>(bound));
  }
  size_t Index(const std::vector<std::string>& names) {
    return names.size() < 2 ? 0 : static_cast<size_t>(Below(names.size() - 1));
  }
  const Loop& AnyLoop() { return *loops_[Below(loops_.size())]; }
  const Site& AnySite() { return sites_[Below(sites_.size())]; }
  // A site whose block the predicate likes, or any when it likes none.
  template <typename Predicate>
  const Site& AnySiteWhere(const Predicate& predicate) {
    std::vector<const Site*> liked;
    for (const Site& site : sites_) {
      if (predicate(*site.block)) liked.push_back(&site);
    }
    return liked.empty() ? AnySite() : *liked[Below(liked.size())];
  }
  bool IsTemporary(const std::vector<BufferRegion>& regions) const {
    return std::any_of(regions.begin(), regions.end(), [this](const BufferRegion& region) {
      return nest_.buffers[region.buffer].role == Role::kTemporary;
    });
  }
  std::string AnyScope() { return Below(2) == 0 ? "local" : "workspace"; }
  std::string BufferOf(const std::vector<BufferRegion>& regions) {
    return nest_.buffers[regions[Below(regions.size())].buffer].name;
  }
  std::string TemporaryName() {
    std::string name = "in";
    for (const Buffer& buffer : nest_.buffers) {
      if (buffer.role == Role::kTemporary) name = buffer.name;
    }
    return name;
  }
  // The loops around a block that hold nothing else, outermost first.
  std::vector<const Loop*> AnyChain() {
    const Site& site = AnySite();
    std::vector<const Loop*> chain;
    for (const Loop* loop : site.loops) {
      if (!chain.empty() && As<Loop>(chain.back()->body) != loop) chain.clear();
      chain.push_back(loop);
    }
    return chain;
  }
  static std::vector<std::string> Names(const std::vector<const Loop*>& loops) {
    std::vector<std::string> names;
    for (const Loop* loop : loops) names.push_back(loop->var->name);
    return names;
  }

  const LoopNest& nest_;
  absl::BitGenRef random_;
  const std::string name_;
  std::vector<const Loop*> loops_;
  std::vector<Site> sites_;
};

}  // namespace

const std::vector<std::string>& PrimitiveNames() {
  static const auto* const names = new std::vector<std::string>{"split",
                                                                "fuse",
                                                                "reorder",
                                                                "partition",
                                                                "vectorize",
                                                                "unroll",
                                                                "parallel",
                                                                "cache_read",
                                                                "cache_write",
                                                                "compute_at",
                                                                "reverse_compute_at",
                                                                "compute_inline",
                                                                "set_scope",
                                                                "prefetch",
                                                                "fold_loads",
                                                                "decompose_reduction",
                                                                "accumulate_at",
                                                                "rfactor",
                                                                "transform_layout",
                                                                "pad"};
  return *names;
}

v1::PrimitiveCall RandomCall(const LoopNest& nest, const std::string& primitive, int number, absl::BitGenRef random) {
  return CallMaker(nest, number, random).Make(primitive);
}

}  // namespace tunefleet::codegen
