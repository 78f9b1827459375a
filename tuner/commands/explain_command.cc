// `tunefleet explain`: why the best kernel of an operator is as fast as it is, and what holds it back.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "codegen/explain/disassembly.h"
#include "codegen/explain/instruction_mix.h"
#include "codegen/explain/roofline.h"
#include "codegen/explain/roofline_svg.h"
#include "codegen/ir/printer.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "common/status_macros.h"
#include "tuner/commands/command_line.h"
#include "tuner/commands/each_best.h"
#include "tuner/commands/flags.h"
#include "tuner/commands/json.h"
#include "tuner/commands/task_selection.h"
#include "tuner/commands/text.h"
#include "tuner/commands/write_file.h"

namespace tunefleet::tuner {
namespace {

constexpr double kAssumedClockGhz = 2.5;

struct Flags {
  std::string records = "tunefleet.db";
  TaskFlags task;
  int64_t clock_mhz = 0;
  std::string svg;
  bool nest = true;
  bool code = false;
  bool json = false;
};

struct Clock {
  double ghz = kAssumedClockGhz;
  const char* source = "assumed";
};

// Everything that is shown, as text, JSON and picture.
struct Explanation {
  BestKernel best;
  std::string nest;
  double gflops = 0;          // of the operator, as in every other command
  double program_gflops = 0;  // of the multiply-adds that the program does for it
  Clock clock;
  codegen::Ceilings ceilings;
  codegen::Roofline roofline;
  std::vector<codegen::Instruction> loop;
  codegen::InstructionMix mix;
  std::vector<codegen::RooflinePicture::Trial> trials;
  std::string trials_level;
};

absl::StatusOr<codegen::LoopNest> NestOf(const v1::TuningRecord& record) {
  TF_ASSIGN_OR_RETURN(const codegen::LoopNest fresh,
                      codegen::FreshNest(record.workload(), record.schedule().implementation(),
                                         record.schedule().implementation_version()));
  return codegen::Replay(fresh, record.schedule());
}

absl::StatusOr<std::vector<codegen::Instruction>> CodeOf(const v1::TuningRecord& record,
                                                         const CommandContext& context) {
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<Builder> builder, context.parts->start_builders(1, {}, ""));
  const v1::BuildResponse built = builder->Build(BuildRequestOf(record));
  if (built.outcome() != v1::OUTCOME_OK) {
    return absl::FailedPreconditionError(
        absl::StrCat("building ", record.trial_id(), ": ", OutcomePhrase(built.outcome()), ": ", built.detail()));
  }
  return codegen::Disassemble(built.code(), record.target().triple());
}

Clock ClockOf(const Flags& flags, const v1::TuningRecord& record) {
  if (flags.clock_mhz > 0) return {static_cast<double>(flags.clock_mhz) / 1e3, "given"};
  const v1::Telemetry& telemetry = record.result().telemetry();
  if (telemetry.clock_mhz() > 0) return {telemetry.clock_mhz() / 1e3, "measured"};
  return {};
}

// The memory level that comes nearest to holding the kernel back: where trials differ most.
size_t TightestLevel(const codegen::Roofline& roofline) {
  const auto& levels = roofline.levels;
  return static_cast<size_t>(
      std::min_element(levels.begin(), levels.end(),
                       [](const auto& a, const auto& b) { return a.bound_gflops < b.bound_gflops; }) -
      levels.begin());
}

absl::StatusOr<Explanation> Explain(const BestKernel& best, const Flags& flags, Database& database,
                                    const CommandContext& context) {
  Explanation e{.best = best};
  const v1::TuningRecord& record = best.record;
  TF_ASSIGN_OR_RETURN(const codegen::LoopNest nest, NestOf(record));
  e.nest = codegen::Print(nest);
  e.gflops = codegen::FlopCount(record.workload()) / RecordLatencyNs(record);
  e.clock = ClockOf(flags, record);
  e.ceilings = codegen::DeclaredCeilings(record.target(), e.clock.ghz, record.workload().tensors(0).dtype());
  const bool warm = best.task.task.cache_mode == v1::CACHE_MODE_WARM;
  e.roofline = codegen::RooflineOf(nest, e.ceilings, warm);
  e.program_gflops = e.roofline.flops / RecordLatencyNs(record);
  TF_ASSIGN_OR_RETURN(const std::vector<codegen::Instruction> code, CodeOf(record, context));
  e.loop = codegen::HottestLoop(code);
  e.mix = codegen::MixOf(e.loop);
  const size_t level = TightestLevel(e.roofline);
  e.trials_level = e.roofline.levels[level].name;
  if (flags.svg.empty()) return e;
  TF_ASSIGN_OR_RETURN(const std::vector<StoredRecord> records, database.Records(TaskDigest(best.task.task)));
  for (const StoredRecord& stored : records) {
    const double latency_ns = RecordLatencyNs(stored.record);
    if (stored.stage != TrialStage::kSearch || latency_ns <= 0) continue;
    TF_ASSIGN_OR_RETURN(const codegen::LoopNest tried, NestOf(stored.record));
    const codegen::Roofline roofline = codegen::RooflineOf(tried, e.ceilings, warm);
    e.trials.push_back({roofline.levels[level].intensity, roofline.flops / latency_ns});
  }
  return e;
}

std::string BytesText(double bytes) {
  if (bytes >= 1e9) return absl::StrFormat("%.2f GB", bytes / 1e9);
  if (bytes >= 1e6) return absl::StrFormat("%.2f MB", bytes / 1e6);
  return absl::StrFormat("%.1f kB", bytes / 1e3);
}

std::string CeilingsText(const Explanation& e) {
  return absl::StrFormat("%.0f %s at %.2f GHz (%s clock, declared widths), %s", e.ceilings.peak_gflops,
                         RateUnit(e.best.record.workload()), e.clock.ghz, e.clock.source,
                         ThreadsText(e.best.record.target()));
}

std::string AsText(const Explanation& e, const Flags& flags) {
  std::string text =
      absl::StrFormat("%s on %s (%s)\n", e.best.name, e.best.record.device_class(), TargetText(e.best.record.target()));
  const std::string unit = RateUnit(e.best.record.workload());
  absl::StrAppendFormat(&text, "  measured   %s, %.1f %s\n", LatencyText(RecordLatencyNs(e.best.record)), e.gflops,
                        unit);
  absl::StrAppendFormat(&text, "  program    %.2f of the operator's flops, %.1f %s: %.0f%% of peak\n",
                        e.program_gflops / e.gflops, e.program_gflops, unit,
                        100 * e.program_gflops / e.ceilings.peak_gflops);
  absl::StrAppend(&text, "  peak       ", CeilingsText(e), "\n");
  absl::StrAppendFormat(&text, "  bound by   %s: %.0f %s at most, %.0f%% of it reached\n", e.roofline.bound,
                        e.roofline.bound_gflops, unit, 100 * e.program_gflops / e.roofline.bound_gflops);
  absl::StrAppendFormat(&text, "\nroofline, of %.4g flops:\n", e.roofline.flops);
  std::vector<std::vector<std::string>> rows = {{"  from", "moved", "flops/byte", "GB/s at most", unit + " at most"}};
  for (size_t i = 0; i < e.roofline.levels.size(); ++i) {
    const codegen::Roofline::Level& level = e.roofline.levels[i];
    const bool moves = level.bytes > 0;
    rows.push_back({"  " + level.name, BytesText(level.bytes), moves ? absl::StrFormat("%.1f", level.intensity) : "-",
                    absl::StrFormat("%.0f", e.ceilings.levels[i].gigabytes_s),
                    moves ? absl::StrFormat("%.0f", level.bound_gflops) : "-"});
  }
  absl::StrAppend(&text, Table(rows));
  const codegen::InstructionMix& mix = e.mix;
  absl::StrAppendFormat(
      &text,
      "\ninnermost loop: %d instructions, %.0f%% multiply-adds\n"
      "  multiply-adds %d, other arithmetic %d (%d of both with memory operands), loads %d, prefetches %d, "
      "stores %d, shuffles %d, integer %d, branches %d\n"
      "  spills %d\n",
      mix.total, 100 * mix.MultiplyAddShare(), mix.multiply_adds, mix.arithmetic, mix.memory_operands, mix.loads,
      mix.prefetches, mix.stores, mix.shuffles, mix.integers, mix.branches, mix.spills);
  if (flags.code) {
    for (const codegen::Instruction& instruction : e.loop) {
      absl::StrAppendFormat(&text, "  %6x%s\n", instruction.address, instruction.text);
    }
  }
  if (flags.nest) absl::StrAppend(&text, "\n", e.nest, e.nest.empty() || e.nest.back() == '\n' ? "" : "\n");
  return text;
}

std::string AsJson(const Explanation& e, const Flags& flags) {
  std::vector<std::string> levels;
  for (size_t i = 0; i < e.roofline.levels.size(); ++i) {
    const codegen::Roofline::Level& level = e.roofline.levels[i];
    levels.push_back(JsonObject()
                         .Text("from", level.name)
                         .Number("bytes", level.bytes)
                         .Number("flops_per_byte", level.intensity)
                         .Number("ceiling_gb_s", e.ceilings.levels[i].gigabytes_s)
                         .Number("bound_gflops", level.bound_gflops)
                         .Print());
  }
  JsonObject roofline;
  roofline.Number("flops", e.roofline.flops)
      .Number("gflops", e.program_gflops)
      .Number("peak_gflops", e.ceilings.peak_gflops)
      .Number("clock_ghz", e.clock.ghz)
      .Text("clock_source", e.clock.source)
      .Text("bound", e.roofline.bound)
      .Number("bound_gflops", e.roofline.bound_gflops)
      .Raw("levels", JsonArray(levels));
  JsonObject loop;
  loop.Integer("instructions", e.mix.total)
      .Integer("multiply_adds", e.mix.multiply_adds)
      .Number("multiply_add_share", e.mix.MultiplyAddShare())
      .Integer("arithmetic", e.mix.arithmetic)
      .Integer("memory_operands", e.mix.memory_operands)
      .Integer("loads", e.mix.loads)
      .Integer("prefetches", e.mix.prefetches)
      .Integer("stores", e.mix.stores)
      .Integer("shuffles", e.mix.shuffles)
      .Integer("integers", e.mix.integers)
      .Integer("branches", e.mix.branches)
      .Integer("spills", e.mix.spills);
  if (flags.code) {
    std::vector<std::string> code;
    for (const codegen::Instruction& instruction : e.loop) code.push_back(JsonString(instruction.text));
    loop.Raw("code", JsonArray(code));
  }
  JsonObject object = JsonHead(e.best);
  object.Raw("roofline", roofline.Print()).Raw("inner_loop", loop.Print());
  if (flags.nest) object.Text("nest", e.nest);
  return object.Print();
}

codegen::RooflinePicture PictureOf(const Explanation& e) {
  return {.title = absl::StrFormat("%s: %.1f %s, %s", e.best.name, e.program_gflops, RateUnit(e.best.record.workload()),
                                   LatencyText(RecordLatencyNs(e.best.record))),
          .subtitle = absl::StrCat(TargetText(e.best.record.target()), "; peak ", CeilingsText(e)),
          .ceilings = e.ceilings,
          .best = e.roofline,
          .best_gflops = e.program_gflops,
          .trials = e.trials,
          .trials_level = e.trials_level};
}

absl::StatusOr<int> ShowExplanations(const Flags& flags, const CommandContext& context) {
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenRecords(context, flags.records));
  TF_ASSIGN_OR_RETURN(const std::vector<TaskSummary> tasks, SelectTasks(*database, flags.task, flags.records));
  if (!flags.svg.empty() && tasks.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("explain: --svg holds one operator, records ", flags.records, " have ", tasks.size(),
                     " that fit; choose one with --workload, --op, --device, --target or --threads"));
  }
  return ShowEachBest(*database, tasks, flags.json, context,
                      [&](const BestKernel& best) -> absl::StatusOr<std::string> {
                        TF_ASSIGN_OR_RETURN(const Explanation explanation, Explain(best, flags, *database, context));
                        if (!flags.svg.empty()) {
                          TF_RETURN_IF_ERROR(WriteFile(flags.svg, codegen::RooflineSvg(PictureOf(explanation))));
                        }
                        return flags.json ? AsJson(explanation, flags) : AsText(explanation, flags);
                      });
}

}  // namespace

int ExplainCommand(const std::vector<std::string>& arguments, const CommandContext& context) {
  Flags flags;
  FlagSet set(
      "explain",
      "tunefleet explain: why the best kernel is as fast as it is: its loop nest, its roofline with the data that "
      "its loops move across each level of the memory, and the instructions of its innermost loop.",
      "  tunefleet explain --records=conv.db --workload=resnet18.C6\n"
      "  tunefleet explain --records=conv.db --workload=resnet18.C6 --no-nest --svg=c6.svg\n");
  set.Text("records", "FILE", "the record database", &flags.records);
  flags.task.Declare(&set);
  set.Integer("clock-mhz", "clock that the peak is computed from (0: as measured with the kernel)", 0, 20000,
              &flags.clock_mhz);
  set.Text("svg", "FILE", "write a picture of the roofline with the tuning run on it", &flags.svg);
  set.Switch("nest", "print the loop nest (--no-nest: do not)", &flags.nest);
  set.Switch("code", "print the innermost loop's instructions", &flags.code);
  set.Switch("json", "one JSON object per operator and line", &flags.json);
  if (const absl::Status status = set.Parse(arguments); !status.ok()) return Complain(context, status);
  if (set.help_wanted()) return std::fputs(set.Help().c_str(), context.out), kExitOk;
  const absl::StatusOr<int> exit_status = ShowExplanations(flags, context);
  return exit_status.ok() ? *exit_status : Complain(context, exit_status.status());
}

}  // namespace tunefleet::tuner
