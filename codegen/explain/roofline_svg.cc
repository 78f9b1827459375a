#include "codegen/explain/roofline_svg.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace tunefleet::codegen {
namespace {

constexpr double kTop = 84, kBottom = 452;
constexpr const char* kLevelColors[] = {"#c2410c", "#a16207", "#15803d", "#7e22ce"};
constexpr const char* kInk = "#1f2937";
constexpr const char* kFaint = "#e5e7eb";
constexpr const char* kAccent = "#1d4ed8";

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string Number(double value) {
  if (value >= 100) return absl::StrFormat("%.0f", value);
  if (value >= 10) return absl::StrFormat("%.3g", value);
  return absl::StrFormat("%.2g", value);
}

// An axis from values to pixels.
class Axis {
 public:
  Axis(double low, double high, double from, double to, bool logarithmic)
      : low_(logarithmic ? std::log10(low) : low),
        high_(logarithmic ? std::log10(high) : high),
        from_(from),
        to_(to),
        logarithmic_(logarithmic) {}

  double At(double value) const {
    const double place = logarithmic_ ? std::log10(value) : value;
    return from_ + (place - low_) / (high_ - low_) * (to_ - from_);
  }
  double from() const { return from_; }
  double to() const { return to_; }
  // Powers of ten with their halves and fifths where there is room, or about five round numbers.
  std::vector<double> Ticks() const {
    std::vector<double> ticks;
    if (logarithmic_) {
      const std::vector<double> steps = high_ - low_ > 3 ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
      for (double power = std::floor(low_); power <= high_; ++power) {
        for (const double step : steps) {
          const double tick = power + std::log10(step);
          if (tick >= low_ - 1e-9 && tick <= high_ + 1e-9) ticks.push_back(std::pow(10, tick));
        }
      }
      return ticks;
    }
    const double rough = (high_ - low_) / 5;
    const double unit = std::pow(10, std::floor(std::log10(rough)));
    const double step = unit * (rough / unit > 5 ? 10 : rough / unit > 2 ? 5 : rough / unit > 1 ? 2 : 1);
    for (double tick = std::ceil(low_ / step) * step; tick <= high_ + 1e-9; tick += step) ticks.push_back(tick);
    return ticks;
  }

 private:
  const double low_, high_, from_, to_;
  const bool logarithmic_;
};

class Drawing {
 public:
  void Line(double x1, double y1, double x2, double y2, const std::string& color, double width,
            const std::string& dashes = "") {
    absl::StrAppendFormat(&body_,
                          "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                          "stroke-width=\"%g\"%s/>\n",
                          x1, y1, x2, y2, color, width,
                          dashes.empty() ? "" : absl::StrCat(" stroke-dasharray=\"", dashes, "\""));
  }
  void Circle(double x, double y, double radius, const std::string& fill, double opacity,
              const std::string& stroke = "none") {
    absl::StrAppendFormat(&body_,
                          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\" fill=\"%s\" fill-opacity=\"%.2f\" "
                          "stroke=\"%s\" stroke-width=\"1.5\"/>\n",
                          x, y, radius, fill, opacity, stroke);
  }
  void Diamond(double x, double y, double radius, const std::string& fill) {
    absl::StrAppendFormat(&body_, "<path d=\"M%.1f %.1f l%g %g l-%g %g l-%g -%g z\" fill=\"%s\" stroke=\"white\"/>\n",
                          x, y - radius, radius, radius, radius, radius, radius, radius, fill);
  }
  void Path(const std::string& points, const std::string& color) {
    absl::StrAppend(&body_, "<polyline points=\"", points, "\" fill=\"none\" stroke=\"", color,
                    "\" stroke-width=\"2\"/>\n");
  }
  // `anchor`: start, middle, end. `angle` in degrees, about the point.
  void Text(double x, double y, const std::string& text, const std::string& anchor, int size,
            const std::string& color = kInk, double angle = 0, bool bold = false) {
    absl::StrAppendFormat(&body_,
                          "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"%s\" fill=\"%s\"%s%s "
                          "paint-order=\"stroke\" stroke=\"white\" stroke-width=\"3\">%s"
                          "</text>\n",
                          x, y, size, anchor, color, bold ? " font-weight=\"600\"" : "",
                          angle == 0 ? "" : absl::StrFormat(" transform=\"rotate(%.1f %.1f %.1f)\"", angle, x, y),
                          Escaped(text));
  }
  void Grid(const Axis& x, const Axis& y, const std::string& x_title, const std::string& y_title) {
    for (const double tick : x.Ticks()) {
      Line(x.At(tick), y.from(), x.At(tick), y.to(), kFaint, 1);
      Text(x.At(tick), y.from() + 18, Number(tick), "middle", 12);
    }
    for (const double tick : y.Ticks()) {
      Line(x.from(), y.At(tick), x.to(), y.At(tick), kFaint, 1);
      Text(x.from() - 8, y.At(tick) + 4, Number(tick), "end", 12);
    }
    Line(x.from(), y.from(), x.to(), y.from(), kInk, 1);
    Line(x.from(), y.from(), x.from(), y.to(), kInk, 1);
    Text((x.from() + x.to()) / 2, y.from() + 42, x_title, "middle", 13);
    Text(x.from() - 48, (y.from() + y.to()) / 2, y_title, "middle", 13, kInk, -90);
  }
  std::string Document() const {
    return absl::StrCat(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1080\" height=\"520\" viewBox=\"0 0 1080 520\" "
        "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n<rect width=\"1080\" height=\"520\" "
        "fill=\"white\"/>\n",
        body_, "</svg>\n");
  }

 private:
  std::string body_;
};

// Light to dark blue, as a run goes on.
std::string Shade(double progress) {
  const auto mix = [progress](int from, int to) {
    return static_cast<int>(std::lround(from + progress * (to - from)));
  };
  return absl::StrFormat("#%02x%02x%02x", mix(0xbf, 0x1e), mix(0xdb, 0x3a), mix(0xfe, 0x8a));
}

double Progress(size_t number, size_t count) {
  return count < 2 ? 1 : static_cast<double>(number) / static_cast<double>(count - 1);
}

const char* LevelColor(size_t level) { return kLevelColors[std::min(level, std::size(kLevelColors) - 1)]; }

// A diamond for each level, at its intensity, with what is missing to its roof; levels that lie together share a label.
void DrawBest(const RooflinePicture& picture, const Axis& x, const Axis& y, Drawing& drawing) {
  constexpr double kTogether = 24;  // pixels
  const double height = y.At(picture.best_gflops);
  std::string label;
  double label_x = 0;
  const auto write_label = [&] {
    if (!label.empty()) drawing.Text(label_x, height + 23, label, "middle", 12, kInk, 0, true);
    label.clear();
  };
  for (size_t i = 0; i < picture.best.levels.size(); ++i) {
    const Roofline::Level& level = picture.best.levels[i];
    if (!std::isfinite(level.intensity)) continue;
    const double at = x.At(level.intensity);
    const double roof = std::min(level.bound_gflops, picture.ceilings.peak_gflops);
    drawing.Line(at, height, at, y.At(roof), LevelColor(i), 1.2, "3 3");
    drawing.Diamond(at, height, 7, LevelColor(i));
    if (at - label_x > kTogether) write_label();
    if (label.empty()) label_x = at;
    absl::StrAppend(&label, label.empty() ? "" : ", ", level.name);
  }
  write_label();
}

void DrawRoofline(const RooflinePicture& picture, Drawing& drawing) {
  const Ceilings& ceilings = picture.ceilings;
  double least_x = HUGE_VAL, most_x = 0, least_y = picture.best_gflops;
  const auto include = [&](double x) {
    if (!std::isfinite(x) || x <= 0) return;
    least_x = std::min(least_x, x);
    most_x = std::max(most_x, x);
  };
  for (const Ceilings::Level& level : ceilings.levels) include(ceilings.peak_gflops / level.gigabytes_s);
  for (const Roofline::Level& level : picture.best.levels) include(level.intensity);
  for (const RooflinePicture::Trial& trial : picture.trials) {
    include(trial.intensity);
    least_y = std::min(least_y, trial.gflops);
  }
  least_y = std::max(least_y / 1.5, ceilings.peak_gflops / 300);
  const Axis x(least_x / 2.5, most_x * 2.5, 76, 640, true);
  const Axis y(least_y, std::max(ceilings.peak_gflops, picture.best_gflops) * 1.6, kBottom, kTop, true);
  drawing.Grid(x, y, "arithmetic intensity: flops per byte moved", "GFLOP/s");

  // In logarithms every bandwidth is a line of the same slope.
  const double angle = -std::atan2(std::abs(y.At(10) - y.At(1)), x.At(10) - x.At(1)) * 180 / M_PI;
  for (size_t i = 0; i < ceilings.levels.size(); ++i) {
    const Ceilings::Level& level = ceilings.levels[i];
    const double ridge = ceilings.peak_gflops / level.gigabytes_s;
    const double begin = std::max(least_x / 2.5, least_y / level.gigabytes_s);
    drawing.Line(x.At(begin), y.At(begin * level.gigabytes_s), x.At(ridge), y.At(ceilings.peak_gflops), LevelColor(i),
                 2);
    const double along = std::pow(10, 0.5 * (std::log10(begin) + std::log10(ridge)));
    drawing.Text(x.At(along) - 5, y.At(along * level.gigabytes_s) - 6,
                 absl::StrFormat("%s %s GB/s", level.name, Number(level.gigabytes_s)), "middle", 12, LevelColor(i),
                 angle);
  }
  double first_ridge = HUGE_VAL;
  for (const Ceilings::Level& level : ceilings.levels) {
    first_ridge = std::min(first_ridge, ceilings.peak_gflops / level.gigabytes_s);
  }
  drawing.Line(x.At(first_ridge), y.At(ceilings.peak_gflops), x.to(), y.At(ceilings.peak_gflops), kInk, 2);
  drawing.Text(x.to() - 4, y.At(ceilings.peak_gflops) - 8,
               absl::StrFormat("peak %s GFLOP/s", Number(ceilings.peak_gflops)), "end", 12, kInk, 0, true);

  for (size_t i = 0; i < picture.trials.size(); ++i) {
    const RooflinePicture::Trial& trial = picture.trials[i];
    if (trial.gflops < least_y || !std::isfinite(trial.intensity)) continue;
    drawing.Circle(x.At(trial.intensity), y.At(trial.gflops), 3.5, Shade(Progress(i, picture.trials.size())), 0.8);
  }
  DrawBest(picture, x, y, drawing);
}

void DrawHistory(const RooflinePicture& picture, Drawing& drawing) {
  const double last = std::max<double>(2, static_cast<double>(picture.trials.size()));
  double most = std::max(picture.best.bound_gflops, picture.best_gflops);
  const Axis x(0, last, 724, 1050, false);
  const Axis y(0, most * 1.15, kBottom, kTop, false);
  drawing.Grid(x, y, "valid trials, in order", "GFLOP/s");
  drawing.Line(x.from(), y.At(picture.best.bound_gflops), x.to(), y.At(picture.best.bound_gflops), kInk, 1.5, "5 4");
  drawing.Text(x.to(), y.At(picture.best.bound_gflops) - 7,
               absl::StrFormat("bound: %s, %s GFLOP/s", picture.best.bound, Number(picture.best.bound_gflops)), "end",
               12);
  std::string steps;
  double best = 0;
  for (size_t i = 0; i < picture.trials.size(); ++i) {
    const double at = x.At(static_cast<double>(i) + 1);
    const double speed = picture.trials[i].gflops;
    drawing.Circle(at, y.At(speed), 3, Shade(Progress(i, picture.trials.size())), 0.8);
    if (speed > best && best > 0) absl::StrAppendFormat(&steps, "%.1f,%.1f ", at, y.At(best));
    best = std::max(best, speed);
    absl::StrAppendFormat(&steps, "%.1f,%.1f ", at, y.At(best));
  }
  drawing.Path(steps, kAccent);
  drawing.Text(x.to(), y.At(picture.best_gflops) - 8, absl::StrFormat("best %s", Number(picture.best_gflops)), "end",
               12, kAccent, 0, true);
}

}  // namespace

std::string RooflineSvg(const RooflinePicture& picture) {
  Drawing drawing;
  drawing.Text(24, 34, picture.title, "start", 18, kInk, 0, true);
  drawing.Text(24, 56, picture.subtitle, "start", 13, "#4b5563");
  DrawRoofline(picture, drawing);
  DrawHistory(picture, drawing);
  drawing.Text(76, 512,
               absl::StrCat("diamonds: the best kernel at each level; dots: trials, light to dark as the run "
                            "went on, at their intensity for ",
                            picture.trials_level),
               "start", 11, "#4b5563");
  return drawing.Document();
}

}  // namespace tunefleet::codegen
