#include "device_server/measure/fill_cache.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/fill.h"
#include "common/status_macros.h"

namespace tunefleet::device {
namespace {

// Each holds a descriptor.
constexpr size_t kMostEntries = 256;

std::string Key(v1::BufferFill fill, const v1::BufferSpec& spec, BufferLayout layout) {
  fill.clear_buffer();
  return absl::StrCat(spec.size_bytes(), "/", LayoutOffset(spec, layout), "/", fill.SerializeAsString());
}

}  // namespace

bool FillCache::Holds(const v1::BufferFill& fill, const v1::BufferSpec& spec, BufferLayout layout) const {
  return index_.contains(Key(fill, spec, layout));
}

absl::StatusOr<std::shared_ptr<BufferFile>> FillCache::Get(const v1::BufferFill& fill, const v1::BufferSpec& spec,
                                                           BufferLayout layout, const BlobSource& blobs) {
  std::string key = Key(fill, spec, layout);
  if (const auto found = index_.find(key); found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->file;
  }
  TF_ASSIGN_OR_RETURN(std::shared_ptr<BufferFile> file, BufferFile::Create(spec, layout));
  if (fill.source_case() == v1::BufferFill::kBlobDigest) {
    TF_ASSIGN_OR_RETURN(const Blob blob, blobs.Get(fill.blob_digest()));
    if (blob->size() != spec.size_bytes()) {
      return absl::InvalidArgumentError(absl::StrCat("buffer '", spec.name(), "': the fill's blob has ", blob->size(),
                                                     " bytes, the buffer ", spec.size_bytes()));
    }
    std::memcpy(file->data().data(), blob->data(), blob->size());
  } else {
    TF_RETURN_IF_ERROR(common::FillBuffer(fill, file->data()));
  }
  TF_RETURN_IF_ERROR(file->SealForReaders());
  entries_.push_front({std::move(key), file});
  index_[entries_.front().key] = entries_.begin();
  size_bytes_ += file->file_bytes();
  Shrink();
  return file;
}

void FillCache::Shrink() {
  while ((size_bytes_ > bound_bytes_ && entries_.size() > 1) || entries_.size() > kMostEntries) {
    size_bytes_ -= entries_.back().file->file_bytes();
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

}  // namespace tunefleet::device
