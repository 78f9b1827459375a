#include "device_server/fleet/result_journal.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/digest.h"

namespace tunefleet::device {
namespace {

constexpr size_t kKeyLength = 2 * common::kDigestBytes;
constexpr absl::string_view kSuffix = ".result";
constexpr absl::string_view kDraftSuffix = ".result.new";
constexpr uintmax_t kMaxFileBytes = 128 << 10;  // a control message and its checksum

absl::Status SystemError(const std::string& operation, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(operation, " ", path, ": ", strerror(errno)));
}

absl::Status WriteDurably(const std::string& path, const std::string& bytes) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return SystemError("make", path);
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return SystemError("write", path);
    done += static_cast<size_t>(count);
  }
  return fsync(file.get()) == 0 ? absl::OkStatus() : SystemError("store", path);
}

// KEY.result, or with `draft` KEY.result.new.
bool IsOurs(const std::filesystem::path& path, bool draft) {
  const std::string name = path.filename();
  const absl::string_view suffix = draft ? kDraftSuffix : kSuffix;
  return name.size() == kKeyLength + suffix.size() && absl::EndsWith(name, suffix) &&
         name.find_first_not_of("0123456789abcdef") == kKeyLength;
}

std::optional<v1::Finished> ReadResult(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < common::kDigestBytes) return std::nullopt;
  const std::string content = bytes.substr(common::kDigestBytes);
  v1::Finished finished;
  if (common::Sha256(content) != bytes.substr(0, common::kDigestBytes) || !finished.ParseFromString(content)) {
    return std::nullopt;
  }
  return finished;
}

}  // namespace

std::string KeyOf(const v1::Lease& lease) {
  const v1::Fence& fence = lease.fence();
  return common::HexDigest(
      common::Sha256(absl::StrCat(lease.trial_id(), "/", fence.epoch(), "/", fence.counter(), "/", lease.device_id())));
}

absl::StatusOr<std::unique_ptr<ResultJournal>> ResultJournal::Open(std::string directory) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(directory, error);
  if (error) return absl::UnavailableError(absl::StrCat("make ", directory, ": ", error.message()));
  if (made && chmod(directory.c_str(), 0700) != 0) return SystemError("protect", directory);
  const std::string path = directory + "/lock";
  UniqueFd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.valid()) return SystemError("make", path);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("another agent keeps its results in ", directory));
  }
  return absl::WrapUnique(new ResultJournal(std::move(directory), std::move(lock)));
}

std::string ResultJournal::PathOf(const std::string& key) const { return absl::StrCat(directory_, "/", key, kSuffix); }

std::vector<v1::Finished> ResultJournal::Load() {
  std::vector<v1::Finished> results;
  std::error_code error;
  std::vector<std::filesystem::path> broken;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    if (IsOurs(entry.path(), /*draft=*/true)) broken.push_back(entry.path());
    if (!IsOurs(entry.path(), /*draft=*/false) || results.size() >= kMostResults) continue;
    if (const uintmax_t size = entry.file_size(error); error || size > kMaxFileBytes) {
      spdlog::warn("{} is larger than any result: left where it is", entry.path().string());
      continue;
    }
    if (std::optional<v1::Finished> finished = ReadResult(entry.path())) {
      results.push_back(*std::move(finished));
    } else {
      broken.push_back(entry.path());
    }
  }
  for (const std::filesystem::path& path : broken) {
    spdlog::warn("{} is no whole result: removed", path.string());
    std::filesystem::remove(path, error);
  }
  return results;
}

absl::Status ResultJournal::Save(const v1::Finished& finished) {
  const std::string content = finished.SerializeAsString();
  const std::string path = PathOf(KeyOf(finished.lease()));
  const std::string draft = absl::StrCat(directory_, "/", KeyOf(finished.lease()), kDraftSuffix);
  if (const absl::Status status = WriteDurably(draft, common::Sha256(content) + content); !status.ok()) return status;
  if (rename(draft.c_str(), path.c_str()) != 0) return SystemError("rename", draft);
  const UniqueFd directory(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || fsync(directory.get()) != 0) return SystemError("store", directory_);
  return absl::OkStatus();
}

void ResultJournal::Remove(const std::string& key) {
  std::error_code ignored;
  std::filesystem::remove(PathOf(key), ignored);
}

}  // namespace tunefleet::device
