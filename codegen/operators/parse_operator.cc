// The --op syntax (grammar in codegen/operators/workload.h): text -> arguments -> checked numbers -> Workload.
#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "codegen/operators/build_workload.h"
#include "codegen/operators/closest_name.h"
#include "codegen/operators/layout.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kLargestArgument = int64_t{1} << 24;

struct Parsed {
  std::string kind;
  absl::flat_hash_map<std::string, std::string> arguments;
  std::vector<std::string> epilogue;
};

const std::vector<std::string>& Kinds() {
  static const auto& kinds = *new std::vector<std::string>{"conv2d", "depthwise_conv2d", "dense", "matmul"};
  return kinds;
}

std::vector<std::string> ArgumentsOf(absl::string_view kind) {
  if (kind == "conv2d") {
    return {"n",  "h", "w",  "ci", "co", "k",      "kh",    "kw",     "s",        "sh",
            "sw", "p", "ph", "pw", "d",  "groups", "dtype", "layout", "in_layout"};
  }
  if (kind == "depthwise_conv2d") {
    return {"n", "h", "w", "c", "k", "kh", "kw", "s", "sh", "sw", "p", "ph", "pw", "d", "dtype", "layout"};
  }
  if (kind == "dense") return {"m", "n", "k", "dtype"};
  return {"batch", "m", "n", "k", "ta", "tb", "dtype"};
}

absl::StatusOr<Parsed> Tokenize(absl::string_view op) {
  const auto syntax = [](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, "; write e.g. conv2d(n=1,h=56,w=56,ci=64,co=64,k=3,s=1,p=1)+bias+relu"));
  };
  if (op.size() > 4096) return syntax("longer than 4096 characters");
  const size_t open = op.find('(');
  if (open == absl::string_view::npos) return syntax("no '(' after the operator's kind");
  const size_t close = op.find(')', open);
  if (close == absl::string_view::npos) return syntax("no closing ')'");

  Parsed parsed;
  parsed.kind = std::string(absl::StripAsciiWhitespace(op.substr(0, open)));
  if (std::find(Kinds().begin(), Kinds().end(), parsed.kind) == Kinds().end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown operator '", parsed.kind, "'", Suggestion(parsed.kind, Kinds())));
  }
  const std::vector<std::string> known = ArgumentsOf(parsed.kind);
  const absl::string_view arguments = absl::StripAsciiWhitespace(op.substr(open + 1, close - open - 1));
  if (!arguments.empty()) {
    for (absl::string_view argument : absl::StrSplit(arguments, ',')) {
      const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(argument, absl::MaxSplits('=', 1));
      const std::string name(absl::StripAsciiWhitespace(parts.first));
      const std::string value(absl::StripAsciiWhitespace(parts.second));
      if (argument.find('=') == absl::string_view::npos || name.empty() || value.empty()) {
        return syntax(absl::StrCat("argument '", absl::StripAsciiWhitespace(argument), "' is not NAME=VALUE"));
      }
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return absl::InvalidArgumentError(absl::StrCat("unknown argument '", name, "'", Suggestion(name, known)));
      }
      if (!parsed.arguments.emplace(name, value).second) {
        return absl::InvalidArgumentError(absl::StrCat("argument '", name, "' is given twice"));
      }
    }
  }

  absl::string_view rest = absl::StripAsciiWhitespace(op.substr(close + 1));
  if (rest.empty()) return parsed;
  if (rest[0] != '+') return syntax(absl::StrCat("'", rest, "' after ')' is not an epilogue"));
  const std::vector<std::string> epilogues = {"bias", "relu"};
  for (absl::string_view item : absl::StrSplit(rest.substr(1), '+')) {
    const std::string name(absl::StripAsciiWhitespace(item));
    if (std::find(epilogues.begin(), epilogues.end(), name) == epilogues.end()) {
      return absl::InvalidArgumentError(absl::StrCat("unknown epilogue '", name, "'", Suggestion(name, epilogues)));
    }
    if (std::find(parsed.epilogue.begin(), parsed.epilogue.end(), name) != parsed.epilogue.end()) {
      return absl::InvalidArgumentError(absl::StrCat("epilogue '", name, "' is given twice"));
    }
    parsed.epilogue.push_back(name);
  }
  return parsed;
}

// Reads numbers out of the arguments; remembers the first error.
class Reader {
 public:
  explicit Reader(const Parsed& parsed) : parsed_(parsed) {}

  bool Has(absl::string_view name) const { return parsed_.arguments.contains(name); }

  int64_t Required(absl::string_view name) {
    if (!Has(name)) {
      Fail(absl::StrCat("argument '", name, "' is missing"));
      return 1;
    }
    return Optional(name, 1, 1);
  }

  int64_t Optional(absl::string_view name, int64_t fallback, int64_t least) {
    const auto it = parsed_.arguments.find(name);
    if (it == parsed_.arguments.end()) return fallback;
    int64_t value;
    if (!absl::SimpleAtoi(it->second, &value)) {
      Fail(absl::StrCat("argument '", name, "=", it->second, "' is not a whole number"));
      return fallback;
    }
    if (value < least || value > kLargestArgument) {
      Fail(absl::StrCat("argument '", name, "=", value, "' is outside ", least, " to ", kLargestArgument));
      return fallback;
    }
    return value;
  }

  // `both` stands for `first` and `second`, e.g. k for kh and kw.
  std::pair<int64_t, int64_t> Pair(absl::string_view both, absl::string_view first, absl::string_view second,
                                   int64_t fallback, int64_t least) {
    if (Has(both) && (Has(first) || Has(second))) {
      Fail(
          absl::StrCat("argument '", both, "' stands for '", first, "' and '", second, "': give it or them, not both"));
    }
    const int64_t common = Optional(both, fallback, least);
    return {Optional(first, common, least), Optional(second, common, least)};
  }

  bool Flag(absl::string_view name) {
    const int64_t value = Optional(name, 0, 0);
    if (value > 1) Fail(absl::StrCat("argument '", name, "=", value, "' is neither 0 nor 1"));
    return value == 1;
  }

  std::string Text(absl::string_view name) const {
    const auto it = parsed_.arguments.find(name);
    return it == parsed_.arguments.end() ? "" : it->second;
  }

  void Fail(absl::string_view message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(message);
  }

  const absl::Status& status() const { return status_; }

 private:
  const Parsed& parsed_;
  absl::Status status_;
};

absl::StatusOr<v1::Workload> BuildConv2d(const Parsed& parsed, v1::DataType dtype, Reader& reader) {
  Conv2dShape shape{};
  shape.dtype = dtype;
  const bool depthwise = parsed.kind == "depthwise_conv2d";
  shape.n = reader.Optional("n", 1, 1);
  shape.h = reader.Required("h");
  shape.w = reader.Required("w");
  shape.ci = reader.Required(depthwise ? "c" : "ci");
  shape.co = depthwise ? shape.ci : reader.Required("co");
  if (!reader.Has("k") && !(reader.Has("kh") && reader.Has("kw"))) {
    reader.Fail("argument 'k' (or both 'kh' and 'kw') is missing");
  }
  std::tie(shape.kh, shape.kw) = reader.Pair("k", "kh", "kw", 1, 1);
  std::tie(shape.sh, shape.sw) = reader.Pair("s", "sh", "sw", 1, 1);
  std::tie(shape.ph, shape.pw) = reader.Pair("p", "ph", "pw", 0, 0);
  shape.d = reader.Optional("d", 1, 1);
  const int64_t groups = reader.Optional("groups", 1, 1);
  if (groups != 1 && !(groups == shape.ci && groups == shape.co)) {
    reader.Fail(absl::StrCat("argument 'groups=", groups,
                             "' is not supported: 1, or groups = ci = co (depthwise; here ci=", shape.ci,
                             ", co=", shape.co, ")"));
  }
  shape.depthwise = depthwise || groups != 1;
  TF_RETURN_IF_ERROR(reader.status());
  const std::string layout = reader.Text("layout");
  const std::string in_layout = reader.Has("in_layout") ? reader.Text("in_layout") : layout;
  if (in_layout != layout && (shape.depthwise || in_layout != "NCHW" || layout.empty())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "argument 'in_layout=", in_layout, "' is not supported here: only NCHW, for a conv2d with a blocked 'layout'"));
  }
  return BuildConv2dWorkload(shape, in_layout, layout, parsed.epilogue);
}

absl::StatusOr<v1::Workload> BuildMatmul(const Parsed& parsed, v1::DataType dtype, Reader& reader) {
  MatmulShape shape{};
  shape.dtype = dtype;
  shape.constant_b = parsed.kind == "dense";
  shape.batch = reader.Optional("batch", 1, 1);
  shape.m = reader.Required("m");
  shape.n = reader.Required("n");
  shape.k = reader.Required("k");
  shape.ta = reader.Flag("ta");
  shape.tb = reader.Flag("tb");
  TF_RETURN_IF_ERROR(reader.status());
  return BuildMatmulWorkload(shape, parsed.epilogue);
}

absl::StatusOr<v1::Workload> Parse(absl::string_view op) {
  TF_ASSIGN_OR_RETURN(const Parsed parsed, Tokenize(op));
  Reader reader(parsed);
  const std::string text = reader.Text("dtype");
  if (!text.empty() && text != "float32" && text != "int8") {
    return absl::InvalidArgumentError(absl::StrCat("dtype '", text, "' is not supported (known: float32, int8)"));
  }
  const v1::DataType dtype = text == "int8" ? v1::DATA_TYPE_INT8 : v1::DATA_TYPE_FLOAT32;
  if (parsed.kind == "conv2d" || parsed.kind == "depthwise_conv2d") return BuildConv2d(parsed, dtype, reader);
  return BuildMatmul(parsed, dtype, reader);
}

}  // namespace

absl::StatusOr<v1::Workload> ParseOperator(absl::string_view op) {
  absl::StatusOr<v1::Workload> workload = Parse(op);
  if (workload.ok()) return workload;
  return absl::InvalidArgumentError(absl::StrCat("operator '", op.substr(0, 200), "': ", workload.status().message()));
}

}  // namespace tunefleet::codegen
