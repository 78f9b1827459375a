#include "tuner/commands/kernel_files.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "codegen/operators/workload.h"
#include "tuner/commands/kernel_abi_text.h"
#include "tuner/commands/text.h"

namespace tunefleet::tuner {
namespace {

// Letters, digits and underscores, in capitals.
std::string MacroName(absl::string_view text) {
  std::string name;
  for (const char c : text) name += absl::ascii_isalnum(c) ? absl::ascii_toupper(c) : '_';
  if (name.empty() || absl::ascii_isdigit(name[0])) name = absl::StrCat("K", name);
  return name;
}

const v1::Tensor* FindTensor(const v1::Workload& workload, const std::string& name) {
  for (const v1::Tensor& tensor : workload.tensors()) {
    if (tensor.name() == name) return &tensor;
  }
  return nullptr;
}

const char* TypeText(v1::DataType dtype) {
  switch (dtype) {
    case v1::DATA_TYPE_FLOAT32:
      return "float";
    case v1::DATA_TYPE_FLOAT64:
      return "double";
    case v1::DATA_TYPE_INT32:
      return "int32_t";
    case v1::DATA_TYPE_INT8:
      return "int8_t";
    default:
      return "bytes";
  }
}

const char* RoleText(v1::BufferRole role) {
  switch (role) {
    case v1::BUFFER_ROLE_INPUT:
      return "input";
    case v1::BUFFER_ROLE_CONSTANT:
      return "constant";
    case v1::BUFFER_ROLE_PREPARED:
      return "prepared (filled by tf_prepare)";
    case v1::BUFFER_ROLE_OUTPUT:
      return "output";
    default:
      return "buffer";
  }
}

std::string BufferComment(const ShippedKernel& kernel, int index) {
  const v1::BufferSpec& buffer = kernel.manifest.buffers(index);
  std::string text = absl::StrFormat(" *   [%d] %-10s %s, %d bytes, aligned to %d", index, buffer.name(),
                                     RoleText(buffer.role()), buffer.size_bytes(), buffer.alignment());
  if (const v1::Tensor* tensor = FindTensor(kernel.workload, buffer.name()); tensor != nullptr) {
    absl::StrAppend(&text, "\n *       ", TypeText(tensor->dtype()), " [", absl::StrJoin(tensor->shape(), ", "), "]");
    if (!tensor->layout().empty()) {
      absl::StrAppend(&text, " in layout ", tensor->layout(), ": in memory [",
                      absl::StrJoin(codegen::PhysicalShape(*tensor), "]["), "]");
    }
  }
  return text;
}

// A statement of the example: small whole numbers, so that the result does not depend on the order of additions.
std::string FillElements(const v1::Tensor& tensor, const std::string& macro) {
  const char* const type = TypeText(tensor.dtype());
  return absl::StrFormat(
      "  for (size_t i = 0; i < %s_BYTES / sizeof(%s); ++i) ((%s*)buffers[%s])[i] = (%s)((int)(i * 7 %% 5) - 2);",
      macro, type, type, macro, type);
}

// A statement of the example; "" where no channel is padding.
std::string ZeroPaddingLanes(const v1::Tensor& tensor, const std::string& macro) {
  const std::vector<int64_t> memory = codegen::PhysicalShape(tensor);
  if (memory.size() != 5 || tensor.shape(1) % memory[4] == 0) return "";
  const char* const type = TypeText(tensor.dtype());
  return absl::StrFormat(
      "  for (size_t i = 0; i < %s_BYTES / sizeof(%s); ++i) { /* padding lanes are zero */\n"
      "    if (i / %d %% %d * %d + i %% %d >= %d) ((%s*)buffers[%s])[i] = 0;\n  }",
      macro, type, memory[2] * memory[3] * memory[4], memory[1], memory[4], memory[4], tensor.shape(1), type, macro);
}

std::string BufferMacro(const ShippedKernel& kernel, const v1::BufferSpec& buffer) {
  return absl::StrCat(kernel.prefix, "_", MacroName(buffer.name()));
}

}  // namespace

ShippedKernel NameKernelFiles(const std::string& path) {
  ShippedKernel kernel;
  kernel.file = path.substr(path.rfind('/') + 1);
  const std::string stem = kernel.file.substr(0, kernel.file.rfind('.'));
  kernel.header = absl::StrCat(stem, ".h");
  kernel.example = absl::StrCat(stem, "_example.c");
  kernel.prefix = MacroName(stem);
  return kernel;
}

std::string KernelHeader(const ShippedKernel& kernel) {
  const std::string guard = absl::StrCat("TUNEFLEET_KERNEL_", kernel.prefix, "_H_");
  std::vector<std::string> comments, macros;
  for (int i = 0; i < kernel.manifest.buffers_size(); ++i) {
    const v1::BufferSpec& buffer = kernel.manifest.buffers(i);
    const std::string macro = BufferMacro(kernel, buffer);
    comments.push_back(BufferComment(kernel, i));
    macros.push_back(absl::StrFormat("#define %s %d\n#define %s_BYTES %d\n#define %s_ALIGNMENT %d", macro, i, macro,
                                     buffer.size_bytes(), macro, buffer.alignment()));
  }
  const bool prepare = kernel.manifest.has_prepare();
  return absl::StrCat(
      "/* ", kernel.file, ": a kernel tuned by tunefleet.\n *\n",  //
      " *   operator  ", kernel.workload_key, "\n",                //
      " *   target    ", TargetText(kernel.target), ", ", ThreadsText(kernel.target), "\n", " *   measured  ",
      LatencyText(kernel.latency_ns), absl::StrFormat(", %.1f %s", kernel.gflops, RateUnit(kernel.workload)), "\n *\n",
      " * Buffers, in the order of the `buffers` argument of both entry points:\n", absl::StrJoin(comments, "\n"),
      "\n *\n * Blocked layouts (NCHW<b>c) round channels up to the block; padding lanes are zero on input and are "
      "written "
      "zero.\n *\n",
      " * Usage (", kernel.example, " is a whole program):\n",  //
      " *   1. allocate the buffers, and ", kernel.prefix, "_WORKSPACE_BYTES of workspace aligned to 64;\n",
      prepare ? " *   2. fill the constants and call tf_prepare once (its workspace may be null);\n"
              : " *   2. fill the constants;\n",
      " *   3. fill the inputs and call tf_run, as often as needed. A null runtime runs parallel loops serially.\n",
      " *      Both return 0 on success. Load it with dlopen (every kernel exports the same two names), or link it.\n",
      " */\n#ifndef ", guard, "\n#define ", guard, "\n\n", kKernelAbiText, "\n", absl::StrJoin(macros, "\n"),
      "\n#define ", kernel.prefix, "_BUFFERS ", kernel.manifest.buffers_size(), "\n#define ", kernel.prefix,
      "_WORKSPACE_BYTES ", kernel.manifest.workspace_bytes(), "\n#define ", kernel.prefix, "_HAS_PREPARE ",
      prepare ? 1 : 0, "\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n",
      prepare ? "int32_t tf_prepare(void* const* buffers, void* workspace, const tf_runtime* runtime);\n" : "",
      "int32_t tf_run(void* const* buffers, void* workspace, const tf_runtime* runtime);\n",
      "#ifdef __cplusplus\n}\n#endif\n\n#endif /* ", guard, " */\n");
}

std::string KernelExample(const ShippedKernel& kernel) {
  std::vector<std::string> allocate;
  for (int i = 0; i < kernel.manifest.buffers_size(); ++i) {
    const v1::BufferSpec& buffer = kernel.manifest.buffers(i);
    const std::string macro = BufferMacro(kernel, buffer);
    allocate.push_back(absl::StrFormat("  buffers[%s] = allocate(%s_BYTES, %s_ALIGNMENT);", macro, macro, macro));
    const bool filled = buffer.role() == v1::BUFFER_ROLE_INPUT || buffer.role() == v1::BUFFER_ROLE_CONSTANT;
    const v1::Tensor* tensor = FindTensor(kernel.workload, buffer.name());
    if (filled && tensor != nullptr) {
      allocate.push_back(FillElements(*tensor, macro));
      allocate.push_back(ZeroPaddingLanes(*tensor, macro));
    }
  }
  allocate.erase(std::remove(allocate.begin(), allocate.end(), ""), allocate.end());
  std::string sum;
  for (const v1::BufferSpec& buffer : kernel.manifest.buffers()) {
    const v1::Tensor* tensor = FindTensor(kernel.workload, buffer.name());
    if (buffer.role() != v1::BUFFER_ROLE_OUTPUT || tensor == nullptr) continue;
    const std::string macro = BufferMacro(kernel, buffer);
    const char* const type = TypeText(tensor->dtype());
    absl::StrAppend(&sum, "  for (size_t i = 0; i < ", macro, "_BYTES / sizeof(", type, "); ++i) checksum += ((", type,
                    "*)buffers[", macro, "])[i];\n");
  }
  static constexpr char kTemplate[] = R"(/* Runs $FILE once and then for half a second, and prints the fastest run.
 *   cc -O2 $EXAMPLE -ldl -o $STEM && ./$STEM ./$FILE
 */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "$HEADER"

static void* allocate(size_t bytes, size_t alignment) {
  void* memory = NULL;
  if (posix_memalign(&memory, alignment < 64 ? 64 : alignment, bytes + 64) != 0) exit(1);
  memset(memory, 0, bytes + 64);
  return memory;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static tf_entry entry(void* library, const char* name) {
  tf_entry function = NULL;
  *(void**)&function = dlsym(library, name);
  if (function == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return function;
}

int main(int argc, char** argv) {
  void* library = dlopen(argc > 1 ? argv[1] : "./$FILE", RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const tf_entry run = entry(library, TF_RUN_SYMBOL);
  void* buffers[$PREFIX_BUFFERS];
  void* workspace = allocate($PREFIX_WORKSPACE_BYTES, 64);
$ALLOCATE
#if $PREFIX_HAS_PREPARE
  if (entry(library, TF_PREPARE_SYMBOL)(buffers, workspace, NULL) != 0) return 1;
#endif
  if (run(buffers, workspace, NULL) != 0) return 1;
  double checksum = 0;
$SUM
  double best = 1e30;
  for (const double end = now() + 0.5; now() < end;) {
    const double begin = now();
    if (run(buffers, workspace, NULL) != 0) return 1;
    const double seconds = now() - begin;
    if (seconds < best) best = seconds;
  }
  printf("%.3f us a run, checksum %.6g\n", 1e6 * best, checksum);
  return 0;
}
)";
  if (!sum.empty()) sum.pop_back();
  return absl::StrReplaceAll(kTemplate, {{"$FILE", kernel.file},
                                         {"$EXAMPLE", kernel.example},
                                         {"$STEM", kernel.example.substr(0, kernel.example.size() - 2)},
                                         {"$HEADER", kernel.header},
                                         {"$PREFIX", kernel.prefix},
                                         {"$ALLOCATE", absl::StrJoin(allocate, "\n")},
                                         {"$SUM", sum}});
}

}  // namespace tunefleet::tuner
