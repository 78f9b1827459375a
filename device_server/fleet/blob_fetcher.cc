#include "device_server/fleet/blob_fetcher.h"

#include <algorithm>
#include <utility>

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

bool BlobFetcher::Wanted(const std::string& digest) const {
  return ahead_.contains(digest) || waiting_.contains(digest);
}

void BlobFetcher::Enqueue(const std::string& digest) {
  if (digest == current_ || std::find(queue_.begin(), queue_.end(), digest) != queue_.end()) return;
  queue_.push_back(digest);
  changed_.SignalAll();
}

void BlobFetcher::ForgetUnwanted() {
  const auto unwanted = [this](const auto& entry)
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !Wanted(entry.first); };
  std::erase_if(queue_,
                [this](const std::string& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !Wanted(digest); });
  std::erase_if(progress_, unwanted);
  std::erase_if(failed_, unwanted);
}

void BlobFetcher::Want(const std::vector<std::string>& digests) {
  const common::MutexLock lock(&mutex_);
  const std::set<std::string> before = std::exchange(ahead_, {digests.begin(), digests.end()});
  ForgetUnwanted();
  for (const std::string& digest : digests) {
    if (before.contains(digest)) continue;
    failed_.erase(digest);  // of an earlier wish: the blob may be there by now
    Enqueue(digest);
  }
}

absl::StatusOr<HeldBlobs> BlobFetcher::Wait(const std::vector<std::string>& digests,
                                            const std::function<bool()>& give_up) {
  const std::set<std::string> distinct(digests.begin(), digests.end());
  {
    const common::MutexLock lock(&mutex_);
    for (const std::string& digest : distinct) ++waiting_[digest];
  }
  absl::StatusOr<HeldBlobs> held = WaitFor(distinct, give_up);
  const common::MutexLock lock(&mutex_);
  for (const std::string& digest : distinct) {
    if (--waiting_[digest] == 0) waiting_.erase(digest);
  }
  ForgetUnwanted();
  return held;
}

absl::StatusOr<HeldBlobs> BlobFetcher::WaitFor(const std::set<std::string>& digests,
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
      // Also wanted again when the cache let it go meanwhile.
      if (!cache_->Get(digest)) Enqueue(digest);
    }
    changed_.WaitWithTimeout(&mutex_, kGiveUpPeriod);
  }
}

bool BlobFetcher::TakeNext(std::string* digest, Progress* progress) {
  const common::MutexLock lock(&mutex_);
  while (!ending_ && queue_.empty()) changed_.Wait(&mutex_);
  if (ending_) return false;
  current_ = queue_.front();
  queue_.pop_front();
  *digest = current_;
  const auto begun = progress_.extract(current_);
  *progress = begun.empty() ? Progress() : std::move(begun.mapped());
  return true;
}

absl::Status BlobFetcher::Attempt(const std::string& digest, Progress* progress) {
  if (cache_->Get(digest) != nullptr) return absl::OkStatus();
  absl::Status status = downloader_->Download(digest, &progress->bytes);
  if (common::IsTransient(status)) return absl::UnavailableError(status.message());
  if (status.ok()) {
    if (common::Sha256(progress->bytes) == digest) {
      cache_->Put(digest, std::move(progress->bytes));
      return absl::OkStatus();
    }
    status = absl::DataLossError("the content does not match");
  }
  progress->bytes.clear();
  const bool final = absl::IsNotFound(status) || absl::IsInvalidArgument(status);
  if (!final && ++progress->refusals < kMaxRefusals) return absl::UnavailableError(status.message());
  return absl::Status(status.code(), absl::StrCat("blob ", common::HexDigest(digest), ": ", status.message()));
}

bool BlobFetcher::PutBack(const std::string& digest, const absl::Status& status, Progress progress) {
  const common::MutexLock lock(&mutex_);
  current_.clear();
  changed_.SignalAll();
  if (status.ok() || !Wanted(digest)) return false;
  if (!absl::IsUnavailable(status)) {
    failed_[digest] = status;
    return false;
  }
  progress_[digest] = std::move(progress);
  Enqueue(digest);
  return true;
}

void BlobFetcher::Main() {
  std::string digest;
  Progress progress;
  while (TakeNext(&digest, &progress)) {
    const absl::Status status = Attempt(digest, &progress);
    if (!PutBack(digest, status, std::move(progress))) continue;
    const common::MutexLock lock(&mutex_);
    if (!ending_) changed_.WaitWithTimeout(&mutex_, retry_wait_);
  }
}

}  // namespace tunefleet::device
