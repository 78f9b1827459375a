#include "codegen/operators/winograd_transform.h"

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tunefleet::codegen {
namespace {

// B^T is a matter of the points alone. Of 0, 1, -1 and infinity:
std::vector<double> InputOfFourPoints() {
  return {1, 0,  -1, 0,  //
          0, 1,  1,  0,  //
          0, -1, 1,  0,  //
          0, -1, 0,  1};
}

// Of 0, 1, -1, 2 and infinity:
std::vector<double> InputOfFivePoints() {
  return {2, -1, -2, 1,  0,  //
          0, -2, -1, 1,  0,  //
          0, 2,  -3, 1,  0,  //
          0, -1, 0,  1,  0,  //
          0, 2,  -1, -2, 1};
}

// F(m, 2), for the taps of the even phase: m + 1 points.
struct TwoTaps {
  std::vector<double> filter;  // a x 2
  std::vector<double> input;   // a x a
  std::vector<double> output;  // m x a
};

TwoTaps MakeTwoTaps(int64_t m) {
  switch (m) {
    case 2:
      return {.filter = {1, 0,  //
                         1, 1,  //
                         0, 1},
              .input = {1, -1, 0,  //
                        0, 1, 0,   //
                        0, -1, 1},
              .output = {1, 1, 0,  //
                         0, 1, 1}};
    case 3:
      return {.filter = {1, 0,       //
                         0.5, 0.5,   //
                         0.5, -0.5,  //
                         0, 1},
              .input = InputOfFourPoints(),
              .output = {1, 1, 1, 0,   //
                         0, 1, -1, 0,  //
                         0, 1, 1, 1}};
    default:
      TF_CHECK(m == 4, "tiles of 2, 3 or 4 outputs");
      return {.filter = {0.5, 0,           //
                         -0.5, -0.5,       //
                         -1. / 6, 1. / 6,  //
                         1. / 6, 1. / 3,   //
                         0, 1},
              .input = InputOfFivePoints(),
              .output = {1, 1, 1,  1, 0,  //
                         0, 1, -1, 2, 0,  //
                         0, 1, 1,  4, 0,  //
                         0, 1, -1, 8, 1}};
  }
}

// Even phase first (its taps 0 and 2 by F(m, 2)), then the odd phase (its one tap, input by input).
WinogradTransform MakeStrideTwo(int64_t m) {
  const TwoTaps even = MakeTwoTaps(m);
  const int64_t points = m + 1;
  const int64_t a = points + m;
  WinogradTransform t{.stride = 2, .m = m, .a = a};
  t.filter.assign(a * 3, 0);
  t.input.assign(a * a, 0);
  t.output.assign(m * a, 0);
  for (int64_t xi = 0; xi < points; ++xi) {
    for (int64_t tap = 0; tap < 2; ++tap) t.filter[xi * 3 + 2 * tap] = even.filter[xi * 2 + tap];
    for (int64_t i = 0; i < points; ++i) t.input[xi * a + 2 * i] = even.input[xi * points + i];
    for (int64_t y = 0; y < m; ++y) t.output[y * a + xi] = even.output[y * points + xi];
  }
  for (int64_t y = 0; y < m; ++y) {
    const int64_t xi = points + y;
    t.filter[xi * 3 + 1] = 1;
    t.input[xi * a + 2 * y + 1] = 1;
    t.output[y * a + xi] = 1;
  }
  return t;
}

WinogradTransform MakeStrideOne(int64_t m) {
  switch (m) {
    case 2:
      return {.stride = 1,
              .m = 2,
              .a = 4,
              .filter = {1, 0, 0,         //
                         0.5, 0.5, 0.5,   //
                         0.5, -0.5, 0.5,  //
                         0, 0, 1},
              .input = InputOfFourPoints(),
              .output = {1, 1, 1, 0,  //
                         0, 1, -1, 1}};
    case 3:
      return {.stride = 1,
              .m = 3,
              .a = 5,
              .filter = {0.5, 0, 0,                 //
                         -0.5, -0.5, -0.5,          //
                         -1. / 6, 1. / 6, -1. / 6,  //
                         1. / 6, 1. / 3, 2. / 3,    //
                         0, 0, 1},
              .input = InputOfFivePoints(),
              .output = {1, 1, 1, 1, 0,   //
                         0, 1, -1, 2, 0,  //
                         0, 1, 1, 4, 1}};
    case 4:
      return {.stride = 1,
              .m = 4,
              .a = 6,
              .filter = {1. / 4, 0, 0,               //
                         -1. / 6, -1. / 6, -1. / 6,  //
                         -1. / 6, 1. / 6, -1. / 6,   //
                         1. / 24, 1. / 12, 1. / 6,   //
                         1. / 24, -1. / 12, 1. / 6,  //
                         0, 0, 1},
              .input = {4, 0,  -5, 0,  1, 0,  //
                        0, -4, -4, 1,  1, 0,  //
                        0, 4,  -4, -1, 1, 0,  //
                        0, -2, -1, 2,  1, 0,  //
                        0, 2,  -1, -2, 1, 0,  //
                        0, 4,  0,  -5, 0, 1},
              .output = {1, 1, 1,  1, 1,  0,  //
                         0, 1, -1, 2, -2, 0,  //
                         0, 1, 1,  4, 4,  0,  //
                         0, 1, -1, 8, -8, 1}};
    default:
      TF_CHECK(m == 6, "tiles of 2, 3, 4 or 6 outputs");
      return {.stride = 1,
              .m = 6,
              .a = 8,
              .filter = {1,        0,         0,        //
                         -2. / 9,  -2. / 9,   -2. / 9,  //
                         -2. / 9,  2. / 9,    -2. / 9,  //
                         1. / 90,  1. / 45,   2. / 45,  //
                         1. / 90,  -1. / 45,  2. / 45,  //
                         32. / 45, 16. / 45,  8. / 45,  //
                         32. / 45, -16. / 45, 8. / 45,  //
                         0,        0,         1},
              .input = {1, 0,    -5.25, 0,     5.25,  0,     -1, 0,  //
                        0, 1,    1,     -4.25, -4.25, 1,     1,  0,  //
                        0, -1,   1,     4.25,  -4.25, -1,    1,  0,  //
                        0, 0.5,  0.25,  -2.5,  -1.25, 2,     1,  0,  //
                        0, -0.5, 0.25,  2.5,   -1.25, -2,    1,  0,  //
                        0, 2,    4,     -2.5,  -5,    0.5,   1,  0,  //
                        0, -2,   4,     2.5,   -5,    -0.5,  1,  0,  //
                        0, -1,   0,     5.25,  0,     -5.25, 0,  1},
              .output = {1, 1, 1,  1,  1,   1,       1,        0,  //
                         0, 1, -1, 2,  -2,  0.5,     -0.5,     0,  //
                         0, 1, 1,  4,  4,   0.25,    0.25,     0,  //
                         0, 1, -1, 8,  -8,  0.125,   -0.125,   0,  //
                         0, 1, 1,  16, 16,  0.0625,  0.0625,   0,  //
                         0, 1, -1, 32, -32, 0.03125, -0.03125, 1}};
  }
}

}  // namespace

std::vector<WinogradTransform> WinogradTransforms() {
  std::vector<WinogradTransform> transforms;
  for (const int64_t m : {2, 3, 4, 6}) transforms.push_back(MakeStrideOne(m));
  for (const int64_t m : {2, 3, 4}) transforms.push_back(MakeStrideTwo(m));
  return transforms;
}

std::string WinogradName(const WinogradTransform& transform) {
  return absl::StrCat(transform.stride == 1 ? "winograd." : "winograd_stride2.", transform.m);
}

std::optional<WinogradTransform> FindWinograd(absl::string_view implementation) {
  for (WinogradTransform& transform : WinogradTransforms()) {
    if (implementation == WinogradName(transform)) return std::move(transform);
  }
  return std::nullopt;
}

}  // namespace tunefleet::codegen
