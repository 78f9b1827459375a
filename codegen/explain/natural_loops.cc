#include "codegen/explain/natural_loops.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace tunefleet::codegen {
namespace {

// Instructions that run one after the other, entered at the first alone.
struct BasicBlock {
  size_t begin = 0;  // positions in the code
  size_t end = 0;
  std::vector<int> successors;
  std::vector<int> predecessors;
};

// What fills up to an aligned address, on x86 and AArch64.
bool IsPadding(const Instruction& instruction) {
  const absl::string_view text = absl::StripLeadingAsciiWhitespace(instruction.text);
  return absl::StartsWith(text, "nop") || absl::StartsWith(text, "data16") ||
         absl::StartsWith(text, "xchgw\t%ax, %ax") || absl::StartsWith(text, "int3");
}

std::vector<BasicBlock> BasicBlocksOf(const std::vector<Instruction>& code) {
  std::map<uint64_t, size_t> position;  // of an address
  for (size_t i = 0; i < code.size(); ++i) position[code[i].address] = i;
  const auto target_of = [&](const Instruction& instruction) -> std::optional<size_t> {
    const auto to = position.find(static_cast<uint64_t>(instruction.branch_target));
    return instruction.branch_target < 0 || to == position.end() ? std::nullopt : std::optional(to->second);
  };
  std::set<size_t> leaders = {0};
  for (size_t i = 0; i < code.size(); ++i) {
    if (const std::optional<size_t> target = target_of(code[i])) leaders.insert(*target);
    const bool ends = code[i].branch_target >= 0 || !code[i].falls_through;
    if (ends && i + 1 < code.size()) leaders.insert(i + 1);
  }
  std::vector<BasicBlock> blocks;
  std::map<size_t, int> block_of;  // that begins at a position
  for (const size_t leader : leaders) {
    if (!blocks.empty()) blocks.back().end = leader;
    block_of[leader] = static_cast<int>(blocks.size());
    blocks.push_back({.begin = leader, .end = code.size()});
  }
  const auto connect = [&](int from, size_t to) {
    blocks[from].successors.push_back(block_of.at(to));
    blocks[block_of.at(to)].predecessors.push_back(from);
  };
  for (int i = 0; i < static_cast<int>(blocks.size()); ++i) {
    if (const std::optional<size_t> target = target_of(code[blocks[i].end - 1])) connect(i, *target);
  }
  for (int i = 0; i < static_cast<int>(blocks.size()); ++i) {
    const Instruction& last = code[blocks[i].end - 1];
    // Padding that nothing leads to leads to nothing, or it would seem a second way into a loop.
    const bool dead = blocks[i].predecessors.empty() && IsPadding(code[blocks[i].begin]) && IsPadding(last);
    if (last.falls_through && !dead && blocks[i].end < code.size()) connect(i, blocks[i].end);
  }
  return blocks;
}

// Immediate dominators. Functions are entered where nothing jumps to, or first. Source: Cooper, Harvey, Kennedy, "A
// Simple, Fast Dominance Algorithm", 2001.
class Dominators {
 public:
  explicit Dominators(const std::vector<BasicBlock>& blocks)
      : blocks_(blocks), order_(blocks.size(), kUnseen), dominator_(blocks.size(), kUnseen) {
    for (const bool entries : {true, false}) {
      for (int i = 0; i < static_cast<int>(blocks_.size()); ++i) {
        if (order_[i] == kUnseen && (!entries || blocks_[i].predecessors.empty())) Visit(i);
      }
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (auto at = finished_.rbegin(); at != finished_.rend(); ++at) changed |= Update(*at);
    }
  }

  bool Dominates(int block, int other) const {
    while (other != block && other >= 0) other = dominator_[other];
    return other == block;
  }

 private:
  static constexpr int kUnseen = -2;
  static constexpr int kOutside = -1;  // from where functions are called: dominates everything

  // In depth first; a block is finished when all that it leads to is.
  void Visit(int root) {
    roots_.insert(root);
    struct Step {
      int block;
      size_t next = 0;
    };
    std::vector<Step> path = {{root}};
    order_[root] = 0;
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == blocks_[step.block].successors.size()) {
        order_[step.block] = static_cast<int>(finished_.size());
        finished_.push_back(step.block);
        path.pop_back();
        continue;
      }
      const int successor = blocks_[step.block].successors[step.next++];
      if (order_[successor] != kUnseen) continue;
      order_[successor] = 0;
      path.push_back({successor});
    }
  }

  bool Update(int block) {
    int dominator = roots_.contains(block) ? kOutside : kUnseen;
    for (const int predecessor : blocks_[block].predecessors) {
      if (dominator_[predecessor] == kUnseen) continue;
      dominator = dominator == kUnseen ? predecessor : Common(dominator, predecessor);
    }
    return std::exchange(dominator_[block], dominator) != dominator;
  }

  int Common(int a, int b) const {
    while (a != b) {
      if (a == kOutside || b == kOutside) return kOutside;
      int& later = order_[a] < order_[b] ? a : b;
      later = dominator_[later];
    }
    return a;
  }

  const std::vector<BasicBlock>& blocks_;
  std::vector<int> order_;     // in which blocks were finished
  std::vector<int> finished_;  // blocks, in that order
  std::set<int> roots_;
  std::vector<int> dominator_;
};

// By header: the blocks from which it is reached again without passing it.
std::map<int, std::set<int>> LoopsOf(const std::vector<BasicBlock>& blocks) {
  const Dominators dominators(blocks);
  std::map<int, std::set<int>> loops;
  for (int latch = 0; latch < static_cast<int>(blocks.size()); ++latch) {
    for (const int header : blocks[latch].successors) {
      if (!dominators.Dominates(header, latch)) continue;
      std::set<int>& body = loops[header];
      body.insert(header);
      std::vector<int> open = {latch};
      while (!open.empty()) {
        const int block = open.back();
        open.pop_back();
        if (!body.insert(block).second) continue;
        open.insert(open.end(), blocks[block].predecessors.begin(), blocks[block].predecessors.end());
      }
    }
  }
  return loops;
}

}  // namespace

std::vector<std::vector<Instruction>> InnermostLoops(const std::vector<Instruction>& code) {
  if (code.empty()) return {};
  const std::vector<BasicBlock> blocks = BasicBlocksOf(code);
  const std::map<int, std::set<int>> loops = LoopsOf(blocks);
  std::vector<std::vector<Instruction>> innermost;
  for (const auto& [header, body] : loops) {
    const bool has_another =
        std::any_of(loops.begin(), loops.end(), [&, header = header, &body = body](const auto& other) {
          return other.first != header && body.contains(other.first);
        });
    if (has_another) continue;
    std::vector<Instruction>& loop = innermost.emplace_back();
    for (const int block : body) {
      loop.insert(loop.end(), code.begin() + static_cast<std::ptrdiff_t>(blocks[block].begin),
                  code.begin() + static_cast<std::ptrdiff_t>(blocks[block].end));
    }
  }
  return innermost;
}

}  // namespace tunefleet::codegen
