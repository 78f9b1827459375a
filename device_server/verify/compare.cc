#include "device_server/verify/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "common/check.h"

namespace tunefleet::device {
namespace {

// Elements are judged in blocks of independent lanes, which the compiler turns into vectors.
constexpr size_t kLanes = 16;

template <typename T>
bool Passes(T value, T reference, double absolute, double relative) {
  if (value == reference) return true;
  const double difference = std::abs(static_cast<double>(value) - static_cast<double>(reference));
  return difference <= absolute + relative * std::abs(static_cast<double>(reference));
}

// Gathers the maxima over whole blocks; false when some element is not a passing number. Arithmetic is in M: float for
// float, whose rounding is far below any tolerance that a float kernel can be held to.
template <typename T, typename M>
bool ScanBlocks(const T* value, const T* reference, size_t blocks, double absolute, double relative,
                Comparison* result) {
  M error[kLanes] = {};
  M ratio[kLanes] = {};
  int bad[kLanes] = {};
  const M a = static_cast<M>(absolute);
  const M r = static_cast<M>(relative);
  for (size_t block = 0; block < blocks; ++block) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const M v = static_cast<M>(value[block * kLanes + lane]);
      const M w = static_cast<M>(reference[block * kLanes + lane]);
      const M d = v == w ? M{0} : std::abs(v - w);  // equal infinities differ by nothing
      const M allowed = a + r * std::abs(w);
      const M q = d / allowed;  // 0 / 0 is no number, which is above nothing
      bad[lane] |= !(v == w) & !(d <= allowed);
      error[lane] = d > error[lane] ? d : error[lane];
      ratio[lane] = q > ratio[lane] ? q : ratio[lane];
    }
  }
  bool pass = true;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    pass &= bad[lane] == 0;
    result->max_error = std::max(result->max_error, static_cast<double>(error[lane]));
    result->max_error_ratio = std::max(result->max_error_ratio, static_cast<double>(ratio[lane]));
  }
  return pass;
}

template <typename T>
Comparison CompareAs(std::span<const std::byte> value_bytes, std::span<const std::byte> reference_bytes,
                     const v1::OutputCheck& check) {
  const T* const value = reinterpret_cast<const T*>(value_bytes.data());
  const T* const reference = reinterpret_cast<const T*>(reference_bytes.data());
  const size_t count = value_bytes.size() / sizeof(T);
  const size_t blocks = count / kLanes;
  Comparison result;
  using M = std::conditional_t<std::is_same_v<T, float>, float, double>;
  result.pass = ScanBlocks<T, M>(value, reference, blocks, check.absolute(), check.relative(), &result);
  for (size_t i = blocks * kLanes; i < count; ++i) {
    if (value[i] == reference[i]) continue;
    const double difference = std::abs(static_cast<double>(value[i]) - static_cast<double>(reference[i]));
    const double allowed = check.absolute() + check.relative() * std::abs(static_cast<double>(reference[i]));
    result.pass &= difference <= allowed;
    result.max_error = std::max(result.max_error, difference);
    result.max_error_ratio = std::max(result.max_error_ratio, difference / allowed);
  }
  if (result.pass) return result;
  for (size_t i = 0; i < count; ++i) {
    const double difference = std::abs(static_cast<double>(value[i]) - static_cast<double>(reference[i]));
    if (value[i] != reference[i] && !(difference < std::numeric_limits<double>::infinity())) {
      result.max_error = result.max_error_ratio = std::numeric_limits<double>::infinity();
    }
  }
  size_t wrong = 0;
  while (wrong + 1 < count && Passes(value[wrong], reference[wrong], check.absolute(), check.relative())) ++wrong;
  result.first_wrong = wrong;
  result.value = static_cast<double>(value[wrong]);
  result.reference = static_cast<double>(reference[wrong]);
  return result;
}

}  // namespace

Comparison Compare(std::span<const std::byte> value, std::span<const std::byte> reference,
                   const v1::OutputCheck& check) {
  TF_CHECK(value.size() == reference.size(), "an output and its reference differ in size");
  switch (check.dtype()) {
    case v1::DATA_TYPE_FLOAT32:
      return CompareAs<float>(value, reference, check);
    case v1::DATA_TYPE_FLOAT64:
      return CompareAs<double>(value, reference, check);
    case v1::DATA_TYPE_INT32:
      return CompareAs<int32_t>(value, reference, check);
    default:
      TF_CHECK(check.dtype() == v1::DATA_TYPE_INT8, "an unknown element type");
      return CompareAs<int8_t>(value, reference, check);
  }
}

void Poison(v1::DataType dtype, std::span<std::byte> bytes) {
  const bool floating = dtype == v1::DATA_TYPE_FLOAT32 || dtype == v1::DATA_TYPE_FLOAT64;
  std::memset(bytes.data(), floating ? 0xff : 0xa5, bytes.size());
}

}  // namespace tunefleet::device
