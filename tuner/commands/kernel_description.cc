#include "tuner/commands/kernel_description.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/status_macros.h"
#include "google/protobuf/util/json_util.h"

namespace tunefleet::tuner {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return bytes;
}

}  // namespace

std::string DescriptionPath(const std::string& library) {
  return std::filesystem::path(library).replace_extension(".json").string();
}

std::string PrintDescription(const v1::KernelFile& kernel) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(kernel, &text, options);
  return status.ok() ? text : "";
}

absl::StatusOr<KernelOnDisk> ReadKernel(const std::string& library) {
  KernelOnDisk kernel;
  TF_ASSIGN_OR_RETURN(kernel.code, ReadFile(library));
  const std::string path = DescriptionPath(library);
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) {
    return absl::NotFoundError(absl::StrCat("no ", path, " beside ", library,
                                            "; expected a kernel as 'tunefleet build -o' writes it, with its "
                                            "description"));
  }
  if (!google::protobuf::util::JsonStringToMessage(*text, &kernel.description).ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " describes no kernel"));
  }
  if (kernel.description.manifest().code_digest() != common::Sha256(kernel.code)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " describes other code than ", library, "; build it again"));
  }
  return kernel;
}

}  // namespace tunefleet::tuner
