#include "common/fill.h"

#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"

namespace tunefleet::common {
namespace {

uint64_t SplitMix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

template <typename T>
T Value(uint64_t bits);
template <>
float Value<float>(uint64_t bits) {
  return static_cast<float>(static_cast<int64_t>(bits >> 40) - (1 << 23)) / static_cast<float>(1 << 23);
}
template <>
double Value<double>(uint64_t bits) {
  return Value<float>(bits);
}
template <>
int32_t Value<int32_t>(uint64_t bits) {
  return static_cast<int32_t>(bits >> 60) - 8;
}
template <>
int8_t Value<int8_t>(uint64_t bits) {
  return static_cast<int8_t>(Value<int32_t>(bits));
}

// Of a lattice's elements; 0 for an unknown type.
uint32_t MostFractionBits(v1::DataType dtype) {
  switch (dtype) {
    case v1::DATA_TYPE_FLOAT32:
    case v1::DATA_TYPE_FLOAT64:
    case v1::DATA_TYPE_INT32:
      return 23;
    case v1::DATA_TYPE_INT8:
      return 7;
    default:
      return 0;
  }
}

// A numerator of `fraction_bits` bits whose highest bit is set, over 2^fraction_bits unless T is an integer.
template <typename T>
T LatticeValue(uint64_t hash, const v1::LatticeFill& lattice) {
  const uint64_t half = uint64_t{1} << (lattice.fraction_bits() - 1);
  const auto numerator = static_cast<T>(half + (hash >> 40) % half);
  const T magnitude = std::is_integral_v<T> ? numerator : numerator / static_cast<T>(2 * half);
  const bool negative = lattice.sign() == v1::SIGN_NEGATIVE || (lattice.sign() != v1::SIGN_POSITIVE && (hash & 1) != 0);
  return static_cast<T>(negative ? -magnitude : magnitude);
}

template <typename T>
void Fill(const v1::BufferFill& fill, std::span<std::byte> bytes) {
  const bool lattice = fill.source_case() == v1::BufferFill::kLattice;
  const uint64_t base = SplitMix64(lattice ? fill.lattice().seed() : fill.seed());
  const uint64_t count = bytes.size() / sizeof(T);
  for (uint64_t i = 0; i < count; ++i) {
    T value{};
    if (!IsPadding(fill, i)) {
      const uint64_t hash = SplitMix64(base ^ i);
      value = lattice ? LatticeValue<T>(hash, fill.lattice()) : Value<T>(hash);
    }
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
}

}  // namespace

absl::Status CheckLattice(const v1::BufferFill& fill) {
  if (fill.source_case() != v1::BufferFill::kLattice) return absl::OkStatus();
  const uint32_t bits = fill.lattice().fraction_bits();
  const uint32_t most = MostFractionBits(fill.dtype());
  if (bits >= 1 && bits <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("fill: a lattice with ", bits, " fraction bits, expected 1 to ", most));
}

int64_t DataTypeBytes(v1::DataType dtype) {
  switch (dtype) {
    case v1::DATA_TYPE_FLOAT32:
    case v1::DATA_TYPE_INT32:
      return 4;
    case v1::DATA_TYPE_FLOAT64:
      return 8;
    case v1::DATA_TYPE_INT8:
      return 1;
    default:
      return 0;
  }
}

bool IsPadding(const v1::BufferFill& fill, uint64_t index) {
  for (const v1::PaddedAxis& axis : fill.padded()) {
    const uint64_t outer = index / axis.outer_stride() % axis.outer_extent();
    const uint64_t inner = index / axis.inner_stride() % axis.block();
    if (outer * axis.block() + inner >= axis.extent()) return true;
  }
  return false;
}

absl::Status FillBuffer(const v1::BufferFill& fill, std::span<std::byte> bytes) {
  const int64_t element = DataTypeBytes(fill.dtype());
  if (element == 0) return absl::InvalidArgumentError(absl::StrCat("fill: unknown element type ", fill.dtype()));
  if (fill.source_case() != v1::BufferFill::kSeed && fill.source_case() != v1::BufferFill::kLattice) {
    return absl::InvalidArgumentError("fill: a seed or a lattice is needed");
  }
  if (const absl::Status status = CheckLattice(fill); !status.ok()) return status;
  if (bytes.size() % element != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("fill: ", bytes.size(), " bytes are no multiple of the element's ", element));
  }
  for (const v1::PaddedAxis& axis : fill.padded()) {
    if (axis.outer_stride() == 0 || axis.inner_stride() == 0 || axis.block() == 0 || axis.outer_extent() == 0) {
      return absl::InvalidArgumentError("fill: strides, extents and block of a padded axis must be positive");
    }
  }
  switch (fill.dtype()) {
    case v1::DATA_TYPE_FLOAT32:
      Fill<float>(fill, bytes);
      break;
    case v1::DATA_TYPE_FLOAT64:
      Fill<double>(fill, bytes);
      break;
    case v1::DATA_TYPE_INT32:
      Fill<int32_t>(fill, bytes);
      break;
    default:
      Fill<int8_t>(fill, bytes);
      break;
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::common
