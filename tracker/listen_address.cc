#include "tracker/listen_address.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tunefleet::tracker {
namespace {

bool IsLoopback(absl::string_view host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

absl::Status TryBind(int family, const sockaddr* address, socklen_t size, const std::string& name) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot make a socket");
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // Binding alone succeeds beside a socket that is bound but not yet listening.
  if (bind(fd, address, size) == 0 && listen(fd, 1) == 0) return absl::OkStatus();
  if (errno == EADDRINUSE) {
    return absl::AlreadyExistsError(absl::StrCat("cannot listen on ", name, ": it is in use by another process"));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot listen on ", name));
}

absl::Status CheckUnix(const ListenAddress& address) {
  sockaddr_un target{};
  target.sun_family = AF_UNIX;
  address.unix_path.copy(target.sun_path, sizeof(target.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot make a socket");
  const absl::Cleanup close_fd = [fd] { close(fd); };
  // A socket that nobody answers is a left-over of a dead process; it is replaced.
  if (connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof(target)) != 0) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("cannot listen on unix:", address.unix_path, ": it is in use by another process"));
}

}  // namespace

std::string ListenAddress::WithPort(int bound_port) const {
  if (is_unix()) return absl::StrCat("unix:", unix_path);
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", bound_port) : absl::StrCat(host, ":", bound_port);
}

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  ListenAddress address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (rest.empty() || rest.size() >= sizeof(sockaddr_un::sun_path)) {
      return absl::InvalidArgumentError(absl::StrCat("listen address '", text, "': expected a socket path of 1 to ",
                                                     sizeof(sockaddr_un::sun_path) - 1, " bytes after unix:"));
    }
    address.unix_path = std::string(rest);
    return address;
  }
  const size_t colon = rest.rfind(':');
  uint32_t port = 0;
  absl::string_view host = rest.substr(0, colon == absl::string_view::npos ? 0 : colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  const bool ambiguous = !bracketed && absl::StrContains(host, ':');
  if (host.empty() || ambiguous || !absl::SimpleAtoi(rest.substr(colon + 1), &port) || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen address '", text, "': expected host:port, [v6-address]:port or unix:/path"));
  }
  if (!IsLoopback(host)) {
    return absl::PermissionDeniedError(absl::StrCat(
        "listen address '", text,
        "' is not a loopback address: anyone who reaches it could run code on the fleet, and ",
        "this tracker does not speak TLS; listen on 127.0.0.1 or unix:/path and reach it through a tunnel"));
  }
  address.host = std::string(host);
  address.port = static_cast<uint16_t>(port);
  return address;
}

absl::Status CheckBindable(const ListenAddress& address) {
  if (address.is_unix()) return CheckUnix(address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot resolve ", address.host, ": ", gai_strerror(error)));
  }
  const absl::Cleanup free_found = [found] { freeaddrinfo(found); };
  return TryBind(found->ai_family, found->ai_addr, found->ai_addrlen, address.WithPort(address.port));
}

}  // namespace tunefleet::tracker
