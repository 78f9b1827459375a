#include "tracker/blobs/blob_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/status_macros.h"

namespace tunefleet::tracker {
namespace {

namespace fs = std::filesystem;

absl::Status FileError(absl::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat("cannot ", what, " ", path);
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message + ": no space left");
  return absl::ErrnoToStatus(error, message);
}

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError("open", path);
  const bool synced = fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : FileError("sync", path);
  close(fd);
  return status;
}

absl::StatusOr<std::string> ReadAt(int fd, uint64_t offset, size_t most) {
  std::string data(most, '\0');
  size_t size = 0;
  while (size < most) {
    const ssize_t got = pread(fd, data.data() + size, most - size, static_cast<off_t>(offset + size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "cannot read a blob");
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  data.resize(size);
  return data;
}

absl::StatusOr<std::string> DigestOf(int fd) {
  common::DigestStream digest;
  for (uint64_t offset = 0;;) {
    TF_ASSIGN_OR_RETURN(const std::string chunk, ReadAt(fd, offset, kMaxBlobChunkBytes));
    if (chunk.empty()) return digest.Finish();
    digest.Update(chunk);
    offset += chunk.size();
  }
}

// The digest that a file is named after; empty for a file of another kind.
std::string DigestFromName(const std::string& name) {
  const bool hex = name.size() == 2 * common::kDigestBytes && std::all_of(name.begin(), name.end(), [](char c) {
                     return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                   });
  return hex ? absl::HexStringToBytes(name) : std::string();
}

}  // namespace

// ---------------------------------------------------------------- writer and reader

BlobWriter::~BlobWriter() {
  if (fd_ < 0) return;
  store_->Release(digest_, serial_);
  close(fd_);
}

absl::Status BlobWriter::Write(absl::string_view data) {
  if (data.size() > total_bytes_ - std::min(size_bytes_, total_bytes_)) {
    return absl::InvalidArgumentError(absl::StrCat("blob ", common::HexDigest(digest_), ": ", data.size(), " bytes at ",
                                                   size_bytes_, " pass its total of ", total_bytes_));
  }
  if (data.empty()) return absl::OkStatus();
  TF_RETURN_IF_ERROR(store_->BeginWork(digest_, serial_));
  absl::Status status;
  while (!data.empty()) {
    const ssize_t put = pwrite(fd_, data.data(), data.size(), static_cast<off_t>(size_bytes_));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      status = FileError("write", store_->Path(digest_, /*complete=*/false));
      break;
    }
    size_bytes_ += static_cast<uint64_t>(put);
    data.remove_prefix(static_cast<size_t>(put));
  }
  store_->EndWork(digest_, size_bytes_);
  return status;
}

absl::Status BlobWriter::Finish() {
  if (fd_ < 0) return absl::OkStatus();
  if (size_bytes_ != total_bytes_) {
    return absl::InvalidArgumentError(
        absl::StrCat("blob ", common::HexDigest(digest_), ": ", size_bytes_, " of ", total_bytes_, " bytes are there"));
  }
  TF_RETURN_IF_ERROR(store_->BeginWork(digest_, serial_));
  return store_->Publish(digest_, total_bytes_, fd_);
}

BlobReader::~BlobReader() { close(fd_); }

absl::StatusOr<std::string> BlobReader::Read(uint64_t offset, size_t most) const {
  if (offset >= size_bytes_) return std::string();
  return ReadAt(fd_, offset, std::min<uint64_t>(most, size_bytes_ - offset));
}

// ---------------------------------------------------------------- store

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(const std::string& directory, uint64_t max_bytes) {
  std::unique_ptr<BlobStore> store(new BlobStore(directory, max_bytes));
  TF_RETURN_IF_ERROR(store->TakeStock());
  return store;
}

absl::Status BlobStore::TakeStock() {
  std::error_code error;
  fs::create_directories(directory_ + "/partial", error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make ", directory_, "/partial"));
  std::vector<std::pair<fs::file_time_type, std::string>> by_age;
  common::MutexLock lock(&mutex_);
  for (fs::recursive_directory_iterator file(directory_, error), end; !error && file != end; file.increment(error)) {
    const std::string digest = DigestFromName(file->path().filename().string());
    std::error_code bad;
    if (digest.empty() || !file->is_regular_file(bad)) continue;
    const bool complete = file->path().parent_path().filename() != "partial";
    const uint64_t size_bytes = file->file_size(bad);
    const fs::file_time_type age = file->last_write_time(bad);
    if (bad || (!complete && entries_.contains(digest))) continue;
    if (complete && entries_.contains(digest)) total_bytes_ -= entries_[digest].size_bytes;
    entries_[digest] = {complete, size_bytes, size_bytes};
    total_bytes_ += size_bytes;
    by_age.emplace_back(age, digest);
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot read ", directory_));
  std::sort(by_age.begin(), by_age.end());
  for (const auto& [age, digest] : by_age) entries_[digest].used = ++serial_;
  return absl::OkStatus();
}

std::string BlobStore::Path(absl::string_view digest, bool complete) const {
  const std::string hex = common::HexDigest(digest);
  return complete ? absl::StrCat(directory_, "/", hex.substr(0, 2), "/", hex)
                  : absl::StrCat(directory_, "/partial/", hex);
}

BlobStore::BlobStatus BlobStore::Status(const std::string& digest) {
  common::MutexLock lock(&mutex_);
  const auto entry = entries_.find(digest);
  if (entry == entries_.end() || entry->second.evicted) return {};
  entry->second.used = ++serial_;
  return {entry->second.complete, entry->second.held_bytes};
}

BlobStore::Entry* BlobStore::WaitFor(const std::string& digest) {
  while (true) {
    const auto entry = entries_.find(digest);
    if (entry == entries_.end()) return nullptr;
    if (!entry->second.busy) return &entry->second;
    idle_.Wait(&mutex_);
  }
}

absl::StatusOr<std::vector<std::string>> BlobStore::MakeRoom(uint64_t bytes) {
  std::vector<std::pair<std::pair<bool, uint64_t>, std::string>> candidates;  // complete ones first, oldest first
  uint64_t freeable = 0;
  for (const auto& [digest, entry] : entries_) {
    if (entry.busy || entry.pins > 0 || entry.writer != 0) continue;
    candidates.push_back({{!entry.complete, entry.used}, digest});
    freeable += entry.size_bytes;
  }
  if (total_bytes_ - freeable + bytes > max_bytes_) {
    return absl::ResourceExhaustedError(absl::StrCat("the blob store is full: ", total_bytes_ - freeable, " of ",
                                                     max_bytes_, " bytes are in use by live trials and uploads, ",
                                                     bytes, " more are wanted"));
  }
  std::sort(candidates.begin(), candidates.end());
  std::vector<std::string> victims;
  for (const auto& [rank, digest] : candidates) {
    if (total_bytes_ + bytes <= max_bytes_) break;
    Entry& entry = entries_[digest];
    entry.busy = entry.evicted = true;
    total_bytes_ -= entry.size_bytes;
    victims.push_back(digest);
  }
  return victims;
}

void BlobStore::Delete(const std::vector<std::string>& victims) {
  for (const std::string& digest : victims) {
    unlink(Path(digest, /*complete=*/true).c_str());
    unlink(Path(digest, /*complete=*/false).c_str());
  }
  common::MutexLock lock(&mutex_);
  for (const std::string& digest : victims) entries_.erase(digest);
  idle_.SignalAll();
}

absl::StatusOr<std::unique_ptr<BlobWriter>> BlobStore::Write(const std::string& digest, uint64_t total_bytes,
                                                             uint64_t offset) {
  const std::string hex = common::HexDigest(digest);
  if (total_bytes == 0 || total_bytes > kMaxBlobBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("blob ", hex, ": total of ", total_bytes, " bytes, 1 to ", kMaxBlobBytes, " expected"));
  }
  std::vector<std::string> victims;
  uint64_t serial = 0;
  {
    common::MutexLock lock(&mutex_);
    Entry* entry = WaitFor(digest);
    if (entry != nullptr && entry->complete) {
      entry->used = ++serial_;
      return std::unique_ptr<BlobWriter>(new BlobWriter(this, digest, total_bytes, 0, -1, entry->size_bytes));
    }
    const uint64_t held = entry == nullptr ? 0 : entry->held_bytes;
    if ((offset != held && offset != 0) || offset > total_bytes) {
      return absl::InvalidArgumentError(absl::StrCat("blob ", hex, ": offset ", offset, " given, ", held, " of ",
                                                     total_bytes, " bytes are held: resume there or start at 0"));
    }
    const Entry before = entry == nullptr ? Entry() : *entry;
    entries_[digest].busy = true;  // no victim
    total_bytes_ -= before.size_bytes;
    absl::StatusOr<std::vector<std::string>> room = MakeRoom(total_bytes);
    if (!room.ok()) {
      total_bytes_ += before.size_bytes;
      entry == nullptr ? void(entries_.erase(digest)) : void(*entry = before);
      return room.status();
    }
    victims = *std::move(room);
    serial = ++serial_;
    total_bytes_ += total_bytes;
    Entry& upload = entries_[digest];
    upload.size_bytes = total_bytes;
    upload.held_bytes = offset;
    upload.used = upload.writer = serial;
  }
  Delete(victims);
  const std::string path = Path(digest, /*complete=*/false);
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  absl::Status status = fd < 0 ? FileError("open", path) : absl::OkStatus();
  if (fd >= 0 && ftruncate(fd, static_cast<off_t>(offset)) != 0) status = FileError("truncate", path);
  EndWork(digest, offset);
  if (!status.ok()) {
    Release(digest, serial);
    if (fd >= 0) close(fd);
    return status;
  }
  return std::unique_ptr<BlobWriter>(new BlobWriter(this, digest, total_bytes, serial, fd, offset));
}

absl::StatusOr<std::unique_ptr<BlobReader>> BlobStore::Read(const std::string& digest) {
  uint64_t size_bytes = 0;
  {
    common::MutexLock lock(&mutex_);
    const auto entry = entries_.find(digest);
    if (entry != entries_.end() && entry->second.complete && !entry->second.evicted) {
      entry->second.used = ++serial_;
      size_bytes = entry->second.size_bytes;
    }
  }
  const int fd = size_bytes == 0 ? -1 : open(Path(digest, /*complete=*/true).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::NotFoundError(absl::StrCat("blob ", common::HexDigest(digest), ": not in the store"));
  return std::make_unique<BlobReader>(fd, size_bytes);
}

std::vector<std::string> BlobStore::Pin(std::span<const std::string> digests) {
  common::MutexLock lock(&mutex_);
  std::vector<std::string> missing;
  for (const std::string& digest : digests) {
    const auto entry = entries_.find(digest);
    if (entry == entries_.end() || !entry->second.complete || entry->second.evicted) missing.push_back(digest);
  }
  if (!missing.empty()) return missing;
  for (const std::string& digest : digests) {
    Entry& entry = entries_[digest];
    ++entry.pins;
    entry.used = ++serial_;
  }
  return missing;
}

void BlobStore::Unpin(std::span<const std::string> digests) {
  common::MutexLock lock(&mutex_);
  for (const std::string& digest : digests) {
    const auto entry = entries_.find(digest);
    if (entry != entries_.end() && entry->second.pins > 0) --entry->second.pins;
  }
}

// ---------------------------------------------------------------- for the writer

absl::Status BlobStore::BeginWork(const std::string& digest, uint64_t serial) {
  common::MutexLock lock(&mutex_);
  Entry* entry = WaitFor(digest);
  if (entry == nullptr || entry->writer != serial) {
    return absl::AbortedError(
        absl::StrCat("blob ", common::HexDigest(digest), ": a newer upload of it took over; ask for its status"));
  }
  entry->busy = true;
  return absl::OkStatus();
}

void BlobStore::EndWork(const std::string& digest, uint64_t held_bytes) {
  common::MutexLock lock(&mutex_);
  Entry& entry = entries_[digest];
  entry.held_bytes = held_bytes;
  entry.busy = false;
  idle_.SignalAll();
}

void BlobStore::Release(const std::string& digest, uint64_t serial) {
  common::MutexLock lock(&mutex_);
  const auto entry = entries_.find(digest);
  if (entry == entries_.end() || entry->second.writer != serial) return;
  entry->second.writer = 0;
}

absl::Status BlobStore::Publish(const std::string& digest, uint64_t total_bytes, int fd) {
  const std::string from = Path(digest, /*complete=*/false);
  const std::string to = Path(digest, /*complete=*/true);
  const std::string folder = to.substr(0, to.rfind('/'));
  const auto publish = [&]() -> absl::Status {
    TF_ASSIGN_OR_RETURN(const std::string actual, DigestOf(fd));
    if (actual != digest) {
      return absl::DataLossError(absl::StrCat("blob ", common::HexDigest(digest), ": the ", total_bytes,
                                              " bytes uploaded have digest ", common::HexDigest(actual)));
    }
    if (fsync(fd) != 0) return FileError("sync", from);
    if (mkdir(folder.c_str(), 0700) == 0) {
      TF_RETURN_IF_ERROR(SyncDirectory(directory_));
    } else if (errno != EEXIST) {
      return FileError("make", folder);
    }
    if (rename(from.c_str(), to.c_str()) != 0) return FileError("rename", from);
    return SyncDirectory(folder);
  };
  const absl::Status status = publish();
  if (status.code() == absl::StatusCode::kDataLoss) unlink(from.c_str());

  common::MutexLock lock(&mutex_);
  Entry& entry = entries_[digest];
  entry.busy = false;
  idle_.SignalAll();
  if (status.ok()) {
    entry.complete = true;
    entry.writer = 0;
    entry.used = ++serial_;
  } else if (status.code() == absl::StatusCode::kDataLoss) {
    total_bytes_ -= entry.size_bytes;
    entries_.erase(digest);
  }
  return status;
}

}  // namespace tunefleet::tracker
