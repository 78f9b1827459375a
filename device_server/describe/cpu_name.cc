#include "device_server/describe/cpu_name.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace tunefleet::device {
namespace {

struct ModelRange {
  uint32_t family;
  uint32_t first;
  uint32_t last;
  const char* name;
};

constexpr ModelRange kIntel[] = {
    {6, 0x1a, 0x1a, "nehalem"},         {6, 0x1e, 0x1f, "nehalem"},        {6, 0x2e, 0x2e, "nehalem"},
    {6, 0x25, 0x25, "westmere"},        {6, 0x2c, 0x2c, "westmere"},       {6, 0x2f, 0x2f, "westmere"},
    {6, 0x2a, 0x2a, "sandybridge"},     {6, 0x2d, 0x2d, "sandybridge"},    {6, 0x3a, 0x3a, "ivybridge"},
    {6, 0x3e, 0x3e, "ivybridge"},       {6, 0x3c, 0x3c, "haswell"},        {6, 0x3f, 0x3f, "haswell"},
    {6, 0x45, 0x46, "haswell"},         {6, 0x3d, 0x3d, "broadwell"},      {6, 0x47, 0x47, "broadwell"},
    {6, 0x4f, 0x4f, "broadwell"},       {6, 0x56, 0x56, "broadwell"},      {6, 0x4e, 0x4e, "skylake"},
    {6, 0x5e, 0x5e, "skylake"},         {6, 0x8e, 0x8e, "skylake"},        {6, 0x9e, 0x9e, "skylake"},
    {6, 0xa5, 0xa6, "skylake"},         {6, 0x55, 0x55, "skylake-avx512"}, {6, 0x7d, 0x7e, "icelake-client"},
    {6, 0x6a, 0x6a, "icelake-server"},  {6, 0x6c, 0x6c, "icelake-server"}, {6, 0x8c, 0x8d, "tigerlake"},
    {6, 0xa7, 0xa7, "rocketlake"},      {6, 0x97, 0x97, "alderlake"},      {6, 0x9a, 0x9a, "alderlake"},
    {6, 0xb7, 0xb7, "raptorlake"},      {6, 0xba, 0xba, "raptorlake"},     {6, 0xbf, 0xbf, "raptorlake"},
    {6, 0xaa, 0xaa, "meteorlake"},      {6, 0xac, 0xac, "meteorlake"},     {6, 0xc5, 0xc5, "arrowlake"},
    {6, 0xc6, 0xc6, "arrowlake-s"},     {6, 0xbd, 0xbd, "lunarlake"},      {6, 0xbe, 0xbe, "gracemont"},
    {6, 0x8f, 0x8f, "sapphirerapids"},  {6, 0xcf, 0xcf, "emeraldrapids"},  {6, 0xad, 0xad, "graniterapids"},
    {6, 0xae, 0xae, "graniterapids-d"}, {6, 0xaf, 0xaf, "sierraforest"},   {6, 0x5c, 0x5c, "goldmont"},
    {6, 0x5f, 0x5f, "goldmont"},        {6, 0x7a, 0x7a, "goldmont-plus"},  {6, 0x86, 0x86, "tremont"},
    {6, 0x96, 0x96, "tremont"},         {6, 0x9c, 0x9c, "tremont"},
};

constexpr ModelRange kAmd[] = {
    {0x17, 0x00, 0x2f, "znver1"}, {0x17, 0x30, 0xaf, "znver2"}, {0x19, 0x00, 0x0f, "znver3"},
    {0x19, 0x10, 0x1f, "znver4"}, {0x19, 0x20, 0x5f, "znver3"}, {0x19, 0x60, 0x7f, "znver4"},
    {0x19, 0xa0, 0xaf, "znver4"}, {0x1a, 0x00, 0xff, "znver5"},
};

struct ArmPart {
  uint32_t implementer;
  uint32_t part;
  const char* name;
};

constexpr ArmPart kArm[] = {
    {0x41, 0xc05, "cortex-a5"},   {0x41, 0xc07, "cortex-a7"},   {0x41, 0xc08, "cortex-a8"},
    {0x41, 0xc09, "cortex-a9"},   {0x41, 0xc0e, "cortex-a17"},  {0x41, 0xc0f, "cortex-a15"},
    {0x41, 0xd01, "cortex-a32"},  {0x41, 0xd03, "cortex-a53"},  {0x41, 0xd04, "cortex-a35"},
    {0x41, 0xd05, "cortex-a55"},  {0x41, 0xd07, "cortex-a57"},  {0x41, 0xd08, "cortex-a72"},
    {0x41, 0xd09, "cortex-a73"},  {0x41, 0xd0a, "cortex-a75"},  {0x41, 0xd0b, "cortex-a76"},
    {0x41, 0xd0c, "neoverse-n1"}, {0x41, 0xd0d, "cortex-a77"},  {0x41, 0xd40, "neoverse-v1"},
    {0x41, 0xd41, "cortex-a78"},  {0x41, 0xd44, "cortex-x1"},   {0x41, 0xd46, "cortex-a510"},
    {0x41, 0xd47, "cortex-a710"}, {0x41, 0xd48, "cortex-x2"},   {0x41, 0xd49, "neoverse-n2"},
    {0x41, 0xd4d, "cortex-a715"}, {0x41, 0xd4e, "cortex-x3"},   {0x41, 0xd4f, "neoverse-v2"},
    {0x41, 0xd80, "cortex-a520"}, {0x41, 0xd81, "cortex-a720"}, {0x41, 0xd82, "cortex-x4"},
    {0x46, 0x001, "a64fx"},       {0x48, 0xd01, "tsv110"},      {0xc0, 0xac3, "ampere1"},
    {0xc0, 0xac4, "ampere1a"},
};

bool Has(const std::vector<std::string>& features, const char* name) {
  return std::find(features.begin(), features.end(), name) != features.end();
}

bool HasAll(const std::vector<std::string>& features, std::initializer_list<const char*> names) {
  return std::all_of(names.begin(), names.end(), [&](const char* name) { return Has(features, name); });
}

// The micro-architecture levels of the x86-64 psABI.
std::string LevelOf(const std::vector<std::string>& features) {
  if (!HasAll(features, {"sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16"})) return "x86-64";
  if (!HasAll(features, {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"})) return "x86-64-v2";
  if (!HasAll(features, {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})) return "x86-64-v3";
  return "x86-64-v4";
}

template <size_t N>
absl::string_view Find(const ModelRange (&table)[N], const X86Identity& identity) {
  for (const ModelRange& range : table) {
    if (identity.family == range.family && identity.model >= range.first && identity.model <= range.last) {
      return range.name;
    }
  }
  return {};
}

// Names whose instruction set, as LLVM understands it, includes AVX-512.
bool ImpliesAvx512(absl::string_view name) {
  for (const char* with : {"skylake-avx512", "icelake-client", "icelake-server", "tigerlake", "rocketlake",
                           "sapphirerapids", "emeraldrapids", "graniterapids", "graniterapids-d", "znver4", "znver5"}) {
    if (name == with) return true;
  }
  return false;
}

// Names whose instruction set includes AVX2.
bool ImpliesAvx2(absl::string_view name) {
  for (const char* without :
       {"nehalem", "westmere", "sandybridge", "ivybridge", "goldmont", "goldmont-plus", "tremont"}) {
    if (name == without) return false;
  }
  return true;
}

}  // namespace

X86Identity DecodeX86Signature(std::string vendor, uint32_t eax) {
  const uint32_t family = (eax >> 8) & 0xf;
  uint32_t model = (eax >> 4) & 0xf;
  if (family == 6 || family == 0xf) model |= ((eax >> 16) & 0xf) << 4;
  return {std::move(vendor), family == 0xf ? family + ((eax >> 20) & 0xff) : family, model};
}

std::string X86CpuName(const X86Identity& identity, const std::vector<std::string>& features) {
  absl::string_view name;
  if (identity.vendor == "GenuineIntel") name = Find(kIntel, identity);
  if (identity.vendor == "AuthenticAMD") name = Find(kAmd, identity);
  if (name == "skylake-avx512" && Has(features, "avx512vnni")) {
    name = Has(features, "avx512bf16") ? "cooperlake" : "cascadelake";
  }
  const bool usable =
      (!ImpliesAvx512(name) || Has(features, "avx512f")) && (!ImpliesAvx2(name) || Has(features, "avx2"));
  return name.empty() || !usable ? LevelOf(features) : std::string(name);
}

std::string ArmCpuName(uint32_t implementer, uint32_t part) {
  for (const ArmPart& entry : kArm) {
    if (entry.implementer == implementer && entry.part == part) return entry.name;
  }
  return "generic";
}

}  // namespace tunefleet::device
