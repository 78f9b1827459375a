// bin/NAME of a bundle (deploy/bundle.sh): starts programs/NAME with the loader and the libraries of the bundle,
// wherever the bundle lies and whatever C library the machine has, if any. Statically linked.
//
// /proc/self/exe of the started program is the loader; TUNEFLEET_PROGRAM tells it what it was started as.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { kMaxArguments = 4096 };

// The absolute path of this program.
static int OwnPath(char* path) {
  const ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (size > 0) {
    path[size] = '\0';
    return 1;
  }
  return realpath((const char*)getauxval(AT_EXECFN), path) != NULL;
}

int main(int argc, char** argv) {
  static char own[PATH_MAX], root[PATH_MAX], loader[PATH_MAX + 16], libraries[PATH_MAX + 16], program[2 * PATH_MAX];
  static char* arguments[kMaxArguments];
  if (argc < 1 || argc > kMaxArguments - 8 || !OwnPath(own)) {
    fprintf(stderr, "launcher: cannot tell where this program lies: %s\n", strerror(errno));
    return 2;
  }
  memcpy(root, own, sizeof(root));
  char* const name = strrchr(root, '/');  // .../bin/NAME
  *name = '\0';
  char* const folder = strrchr(root, '/');
  if (folder != NULL) *folder = '\0';
  snprintf(loader, sizeof(loader), "%s/lib/ld.so", root);
  snprintf(libraries, sizeof(libraries), "%s/lib", root);
  snprintf(program, sizeof(program), "%s/programs/%s", root, name + 1);
  setenv("TUNEFLEET_PROGRAM", own, 1);
  int count = 0;
  arguments[count++] = loader;
  arguments[count++] = "--inhibit-cache";
  arguments[count++] = "--library-path";
  arguments[count++] = libraries;
  arguments[count++] = "--argv0";
  arguments[count++] = argv[0];
  arguments[count++] = program;
  for (int i = 1; i < argc; ++i) arguments[count++] = argv[i];
  execv(loader, arguments);
  fprintf(stderr, "%s: cannot start %s: %s\n", argv[0], loader, strerror(errno));
  return 2;
}
