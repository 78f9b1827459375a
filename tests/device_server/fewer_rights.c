// fewer_rights FLAG COMMAND...: runs the command; while there is a file FLAG, on a pretended machine where Landlock
// takes no further layer and no file system can be mounted.
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (access(argv[1], F_OK) == 0) {
    const uint64_t make_char[1] = {1u << 6};  // handled rights: nobody here wants this one
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int layer = 0; layer < 16; ++layer) {  // as many as there may be
      const int ruleset = (int)syscall(SYS_landlock_create_ruleset, make_char, sizeof(make_char), 0);
      if (ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) return 3;
      close(ruleset);
    }
  }
  execv(argv[2], argv + 2);
  return 4;
}
