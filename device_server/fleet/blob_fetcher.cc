#include "device_server/fleet/blob_fetcher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/transient.h"

namespace tunefleet::device {
namespace {

constexpr int kMaxRefusals = 3;
constexpr absl::Duration kGiveUpPeriod = absl::Milliseconds(20);

}  // namespace

absl::StatusOr<Blob> HeldBlobs::Get(absl::string_view digest) const {
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) {
    return absl::NotFoundError(absl::StrCat("blob ", common::HexDigest(digest), " is not among the trial's"));
  }
  return found->second;
}

BlobFetcher::BlobFetcher(BlobDownloader* downloader, BlobCache* cache, absl::Duration retry_wait)
    : downloader_(downloader), cache_(cache), retry_wait_(retry_wait), thread_([this] { Main(); }) {}

BlobFetcher::~BlobFetcher() {
  {
    const common::MutexLock lock(&mutex_);
    ending_ = true;
  }
  changed_.SignalAll();
  thread_.join();
}

void BlobFetcher::Want(const std::vector<std::string>& digests) {
  {
    const common::MutexLock lock(&mutex_);
    for (const std::string& digest : digests) {
      failed_.erase(digest);  // of an earlier wish: the blob may be there by now
      if (std::find(wanted_.begin(), wanted_.end(), digest) == wanted_.end()) wanted_.push_back(digest);
    }
  }
  changed_.SignalAll();
}

absl::StatusOr<HeldBlobs> BlobFetcher::Wait(const std::vector<std::string>& digests,
                                            const std::function<bool()>& give_up) {
  HeldBlobs held;
  while (true) {
    std::vector<std::string> missing;
    for (const std::string& digest : digests) {
      if (held.blobs_.contains(digest)) continue;
      if (Blob blob = cache_->Get(digest)) {
        held.blobs_.emplace(digest, std::move(blob));
      } else {
        missing.push_back(digest);
      }
    }
    if (missing.empty()) return held;
    if (give_up()) return absl::CancelledError("given up waiting for blobs");
    const common::MutexLock lock(&mutex_);
    for (const std::string& digest : missing) {
      if (const auto failure = failed_.find(digest); failure != failed_.end()) {
        absl::Status status = failure->second;
        failed_.erase(failure);
        return status;
      }
      // Wanted again when the cache let it go meanwhile.
      if (std::find(wanted_.begin(), wanted_.end(), digest) == wanted_.end() && !cache_->Get(digest)) {
        wanted_.push_back(digest);
        changed_.SignalAll();
      }
    }
    changed_.WaitWithTimeout(&mutex_, kGiveUpPeriod);
  }
}

bool BlobFetcher::NextDigest(std::string* digest) {
  const common::MutexLock lock(&mutex_);
  while (!ending_ && wanted_.empty()) changed_.Wait(&mutex_);
  if (ending_) return false;
  *digest = wanted_.front();
  return true;
}

bool BlobFetcher::Settle(const std::string& digest, const absl::Status& status, Progress* progress) {
  if (common::IsTransient(status)) return false;
  absl::Status failure = status;
  if (status.ok()) {
    if (common::Sha256(progress->bytes) == digest) {
      cache_->Put(digest, std::move(progress->bytes));
    } else {
      failure = absl::DataLossError("the content does not match");
    }
  }
  if (!failure.ok()) {
    progress->bytes.clear();
    const bool final = absl::IsNotFound(failure) || absl::IsInvalidArgument(failure);
    if (!final && ++progress->refusals < kMaxRefusals) return false;
  }
  const common::MutexLock lock(&mutex_);
  if (!failure.ok()) {
    failed_[digest] =
        absl::Status(failure.code(), absl::StrCat("blob ", common::HexDigest(digest), ": ", failure.message()));
  }
  std::erase(wanted_, digest);
  return true;
}

void BlobFetcher::Main() {
  std::string digest;
  while (NextDigest(&digest)) {
    Progress progress;
    bool settled = cache_->Get(digest) != nullptr;
    if (settled) {
      const common::MutexLock lock(&mutex_);
      std::erase(wanted_, digest);
    }
    while (!settled) {
      settled = Settle(digest, downloader_->Download(digest, &progress.bytes), &progress);
      if (settled) break;
      const common::MutexLock lock(&mutex_);
      if (ending_) return;
      changed_.WaitWithTimeout(&mutex_, retry_wait_);
      if (ending_) return;
    }
    changed_.SignalAll();
  }
}

}  // namespace tunefleet::device
