#include "tests/bench/report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tests/bench/interleave.h"
#include "tuner/commands/json.h"

namespace tunefleet::bench {
namespace {

using tuner::JsonArray;
using tuner::JsonObject;

// In the order in which they first appear.
std::vector<std::string> Labels(const std::vector<Row>& rows) {
  std::vector<std::string> labels;
  for (const Row& row : rows) {
    for (const Timed& o : row.opponents) {
      if (std::find(labels.begin(), labels.end(), o.label) == labels.end()) labels.push_back(o.label);
    }
  }
  return labels;
}

std::vector<double> VersusBest(const std::vector<Row>& rows) {
  std::vector<double> ratios;
  for (const Row& row : rows) ratios.push_back(row.VersusBest());
  return ratios;
}

double Least(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::min_element(values.begin(), values.end());
}

double GeomeanVersus(const std::vector<Row>& rows, const std::string& label) {
  std::vector<double> ratios;
  for (const Row& row : rows) {
    if (const std::optional<double> ratio = row.Versus(label)) ratios.push_back(*ratio);
  }
  return GeometricMean(ratios);
}

std::string ToJson(const Row& row) {
  std::vector<std::string> opponents;
  for (const Timed& o : row.opponents) {
    opponents.push_back(JsonObject()
                            .Text("name", o.label)
                            .Integer("ns", std::llround(o.ns))
                            .Text("implementation", o.implementation)
                            .Print());
  }
  return JsonObject()
      .Text("op", row.op)
      .Integer("ours_ns", std::llround(row.ours_ns))
      .Raw("opponents", JsonArray(opponents))
      .Print();
}

}  // namespace

double Row::VersusBest() const {
  const auto faster = [](const Timed& a, const Timed& b) { return a.ns < b.ns; };
  return std::min_element(opponents.begin(), opponents.end(), faster)->ns / ours_ns;
}

std::optional<double> Row::Versus(const std::string& label) const {
  for (const Timed& opponent : opponents) {
    if (opponent.label == label) return opponent.ns / ours_ns;
  }
  return std::nullopt;
}

std::string RowText(const Row& row) {
  std::string line = absl::StrFormat("%-28s ours %9.1f us", row.name, row.ours_ns / 1e3);
  for (const Timed& o : row.opponents) {
    absl::StrAppendFormat(&line, "   %s %9.1f us (%s) %.2fx", o.label, o.ns / 1e3, o.implementation,
                          o.ns / row.ours_ns);
  }
  return line;
}

std::string SummaryText(const Report& report) {
  const std::vector<double> versus_best = VersusBest(report.rows);
  std::string text = absl::StrFormat("geomean: %.3fx of the best; least %.3fx of the best; ",
                                     GeometricMean(versus_best), Least(versus_best));
  absl::StrAppend(&text, absl::StrJoin(Labels(report.rows), ", ", [&](std::string* out, const std::string& label) {
    absl::StrAppendFormat(out, "%.3fx of %s", GeomeanVersus(report.rows, label), label);
  }));
  absl::StrAppend(&text, "; ", report.threads, " thread(s)");
  if (!report.IsClaim()) {
    absl::StrAppend(&text, "; no claim: medians of ", report.rounds, " samples, expected at least ", kRoundsOfAClaim);
  }
  return text;
}

std::string ToJson(const Report& report) {
  const std::vector<double> versus_best = VersusBest(report.rows);
  JsonObject json;
  json.Number("geomean_vs_best", GeometricMean(versus_best))
      .Number("min_vs_best", Least(versus_best))
      .Number("geomean_vs_default", GeomeanVersus(report.rows, report.default_label));
  for (const std::string& label : Labels(report.rows)) {
    json.Number(absl::StrCat("geomean_vs_", label), GeomeanVersus(report.rows, label));
  }
  std::vector<std::string> rows;
  for (const Row& row : report.rows) rows.push_back(ToJson(row));
  return json.Integer("threads", report.threads)
      .Integer("rounds", report.rounds)
      .Bool("claim", report.IsClaim())
      .Raw("rows", JsonArray(rows))
      .Print();
}

}  // namespace tunefleet::bench
