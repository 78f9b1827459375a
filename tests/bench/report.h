// What a comparison found, for people (a line an operator, a line for all) and for programs:
//
//   {"geomean_vs_best":R,"min_vs_best":R,"geomean_vs_default":R,"geomean_vs_LABEL":R,...,"threads":N,"rounds":N,
//    "claim":B,"rows":[
//     {"op":"matmul(...)","ours_ns":N,"opponents":[{"name":"LABEL","ns":N,"implementation":"..."},...]},...]}
//
// Ratios are the opponent's time over ours: above 1, ours is faster. A label's geomean is over the rows that have it.
// "op" is the workload's key. Pure functions.
#ifndef TUNEFLEET_TESTS_BENCH_REPORT_H_
#define TUNEFLEET_TESTS_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

namespace tunefleet::bench {

constexpr int kRoundsOfAClaim = 30;

struct Timed {
  std::string label;
  std::string implementation;
  double ns = 0;
};

struct Row {
  std::string name;  // as it stands in the suite
  std::string op;    // the workload's key
  double ours_ns = 0;
  std::vector<Timed> opponents;  // at least one

  double VersusBest() const;
  std::optional<double> Versus(const std::string& label) const;
};

struct Report {
  std::string default_label;  // whose geomean is geomean_vs_default
  int threads = 1;
  int rounds = 40;
  std::vector<Row> rows;

  bool IsClaim() const { return rounds >= kRoundsOfAClaim; }
};

std::string RowText(const Row& row);
std::string SummaryText(const Report& report);
std::string ToJson(const Report& report);

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_REPORT_H_
