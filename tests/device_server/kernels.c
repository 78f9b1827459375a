// Kernels for the tests of the device agent: one shared object per behaviour, chosen with -DBEHAVIOUR=... .
//
// All have the buffers a (input), b (constant), p (prepared), c (output) of N floats and compute p = 2 * b in
// tf_prepare, c = a + p in tf_run. The misbehaving ones do that too where they get to it, so that only their mischief
// can be found.
#include <stddef.h>
#include <stdint.h>

#include "common/kernel_abi.h"

#define GOOD 0
#define PARALLEL 1
#define WRONG_ONE_ELEMENT 2
#define STALE_ACCUMULATOR 3
#define WRITES_FIRST_RUN_ONLY 4
#define READS_NULL 5
#define CRASHES_IN_CONSTRUCTOR 6
#define HANGS 7
#define HANGS_IN_CONSTRUCTOR 8
#define HANGS_LATER 9
#define EXITS 10
#define EXITS_THROUGH_LIBC 11
#define MAPS_WITHOUT_END 12
#define BREAKS_WITHOUT_END 13
#define MALLOCS_WITHOUT_END 14
#define WRITES_PAST_OUTPUT 15
#define WRITES_BEFORE_OUTPUT 16
#define WRITES_INPUT 17
#define WRITES_PREPARED 18
#define OPENS_FILE 19
#define OPENS_SOCKET 20
#define FORKS 21
#define KILLS_PARENT 22
#define CLOSES_DESCRIPTORS 23
#define PRINTS_WITHOUT_END 24
#define RETURNS_ERROR 25
#define DIVIDES_BY_ZERO 26
#define ABORTS 27
#define OVERFLOWS_STACK 28
#define NO_ENTRY_POINT 29
#define TRACES 30
#define CATCHES_SIGNALS 31
#define STARTS_THREAD 32
#define WRITES_PAST_WORKSPACE 33
#define REMOVES_LIMITS 34
#define HUGE_BSS 35
#define FAILS_PREPARE 36
#define READS_UNWRITTEN_WORKSPACE 37
#define MALLOCS_AND_FREES 39
#define BIG_LOOP 40
#define READS_UNWRITTEN_STACK 41
#define READS_UNWRITTEN_REGISTER 42
#define ADDS_TO_PREPARED 43
#define LEAVES_MODES 44
#define CHECKS_MODES 45
#define STAYS_LOADED 46
#define CRASHES_IN_DESTRUCTOR 47
#define HANGS_IN_DESTRUCTOR 48
#define LEAKS_MEMORY 49
#define FORGES_REPORT 50
#define RECEIVES 51
#define CLOSES_IN_CONSTRUCTOR 52
#define LIMITS_ZYGOTE 53
#define SKIPS_LATER 54
#define SKIPS_EVERY_SECOND 55
#define WORKS_WHEN_JUDGED 56
#define FORGES_TIMES 57
#define FORGES_NEGATIVE_TIMES 58
#define FORGES_SENTINELS 59
#define WRITES_JUST_PAST_WORKSPACE 60
#define COUNTS_ADDRESSES 61
#define FORGES_TRAP 62
#define BREAKS_RUNTIME 63
#define FORGES (BEHAVIOUR >= FORGES_TIMES && BEHAVIOUR <= FORGES_SENTINELS)

#ifndef N
#define N 1000
#endif

#if defined(__x86_64__)
static long Call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#define CALL_WRITE 1
#define CALL_MMAP 9
#define CALL_SIGACTION 13
#define CALL_BRK 12
#define CALL_SOCKET 41
#define CALL_CLONE 56
#define CALL_KILL 62
#define CALL_PTRACE 101
#define CALL_GETPPID 110
#define CALL_EXIT_GROUP 231
#define CALL_OPENAT 257
#define CALL_PRLIMIT 302
#define CALL_CLOSE 3
#define CALL_SIGPROCMASK 14
#define CALL_RECVMSG 47
#define CALL_MADVISE 28
#define CALL_DUP 32
#define CALL_READ 0
#define CALL_CLOCK_GETTIME 228
#elif defined(__aarch64__)
static long Call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#define CALL_WRITE 64
#define CALL_MMAP 222
#define CALL_SIGACTION 134
#define CALL_BRK 214
#define CALL_SOCKET 198
#define CALL_CLONE 220
#define CALL_KILL 129
#define CALL_PTRACE 117
#define CALL_GETPPID 173
#define CALL_EXIT_GROUP 94
#define CALL_OPENAT 56
#define CALL_PRLIMIT 261
#define CALL_CLOSE 57
#define CALL_SIGPROCMASK 135
#define CALL_RECVMSG 212
#define CALL_MADVISE 233
#define CALL_DUP 23
#define CALL_READ 63
#define CALL_CLOCK_GETTIME 113
#endif

static volatile int g_runs;
static volatile int* volatile g_null;
static void* volatile* g_parallel_for;

static void Add(void* const* buffers) {
  const float* a = buffers[0];
  const float* p = buffers[2];
  float* c = buffers[3];
  for (int i = 0; i < N; ++i) c[i] = a[i] + p[i];
}

static void SpinForEver(void) {
  for (volatile int i = 0;; ++i) {
  }
}

#if BEHAVIOUR == CRASHES_IN_CONSTRUCTOR
__attribute__((constructor)) static void Begin(void) { *g_null = 1; }
#elif BEHAVIOUR == CLOSES_IN_CONSTRUCTOR
__attribute__((constructor)) static void Begin(void) { Call(CALL_CLOSE, 4, 0, 0, 0, 0, 0); }
#elif BEHAVIOUR == HANGS_IN_CONSTRUCTOR
__attribute__((constructor)) static void Begin(void) { SpinForEver(); }
#endif

#if BEHAVIOUR == CRASHES_IN_DESTRUCTOR
__attribute__((destructor)) static void End(void) { *g_null = 1; }
#elif BEHAVIOUR == HANGS_IN_DESTRUCTOR
__attribute__((destructor)) static void End(void) { SpinForEver(); }
#endif

#if BEHAVIOUR == EXITS_THROUGH_LIBC
extern void _exit(int);
#elif BEHAVIOUR == MALLOCS_WITHOUT_END || BEHAVIOUR == MALLOCS_AND_FREES
extern void* malloc(size_t);
extern void free(void*);
#elif BEHAVIOUR == ABORTS
extern void abort(void);
#elif BEHAVIOUR == HUGE_BSS
static volatile char g_huge[1ull << 30];
#elif BEHAVIOUR == STARTS_THREAD
extern int pthread_create(unsigned long*, const void*, void* (*)(void*), void*);
static void* Idle(void* argument) { return argument; }
#endif

#if BEHAVIOUR == OVERFLOWS_STACK
__attribute__((noinline)) static int Recurse(volatile int* deep) {
  volatile int frame[64];
  frame[0] = *deep + 1;
  return Recurse(frame) + frame[0];
}
#endif

#if BEHAVIOUR == PARALLEL
static void AddPart(void* argument, int64_t part) {
  void* const* buffers = argument;
  const float* a = buffers[0];
  const float* p = buffers[2];
  float* c = buffers[3];
  for (int i = (int)part * (N / 10); i < ((int)part + 1) * (N / 10); ++i) c[i] = a[i] + p[i];
}
#endif

#if BEHAVIOUR == READS_UNWRITTEN_STACK
__attribute__((noinline)) static float Unwritten(void) {
  float below[256];
  __asm__ volatile("" : : "r"(below) : "memory");
  return below[100];
}
#elif BEHAVIOUR == READS_UNWRITTEN_REGISTER
static float Unwritten(void) {
  float value = 0;
#if defined(__x86_64__)
  __asm__ volatile("movaps %%xmm9, %0" : "=x"(value));
#elif defined(__aarch64__)
  __asm__ volatile("mov %0.16b, v20.16b" : "=w"(value));
#endif
  return value;
}
#endif

#if BEHAVIOUR == LEAVES_MODES || BEHAVIOUR == CHECKS_MODES
#if defined(__x86_64__)
static long ReadModes(void) {
  unsigned modes;
  __asm__ volatile("stmxcsr %0" : "=m"(modes));
  return modes & ~0x3fu;  // without what was raised
}
static void WriteModes(long modes) {
  const unsigned word = (unsigned)modes;
  __asm__ volatile("ldmxcsr %0" ::"m"(word));
}
#define USUAL_MODES 0x1f80
#define OTHER_MODES 0xffc0  // towards zero, denormals are zero
#elif defined(__aarch64__)
static long ReadModes(void) {
  long modes;
  __asm__ volatile("mrs %0, fpcr" : "=r"(modes));
  return modes;
}
static void WriteModes(long modes) { __asm__ volatile("msr fpcr, %0" ::"r"(modes)); }
#define USUAL_MODES 0
#define OTHER_MODES 0x1c00000  // towards zero, denormals are zero
#endif
static volatile int g_arrived;
static volatile int g_strange;
// On every thread: who waits for the others takes no second turn.
static void TurnModes(void* argument, int64_t part) {
  const tf_runtime* const runtime = argument;
  unsigned long all = ~0ul, blocked = 0;
#if BEHAVIOUR == LEAVES_MODES
  WriteModes(OTHER_MODES);
  Call(CALL_SIGPROCMASK, 2, (long)&all, 0, 8, 0, 0);
#else
  Call(CALL_SIGPROCMASK, 0, 0, (long)&blocked, 8, 0, 0);
  if (ReadModes() != USUAL_MODES) __atomic_fetch_or(&g_strange, 1, __ATOMIC_SEQ_CST);
  if (blocked != 0) __atomic_fetch_or(&g_strange, 2, __ATOMIC_SEQ_CST);
#endif
  __atomic_fetch_add(&g_arrived, 1, __ATOMIC_SEQ_CST);
  while (g_arrived < (int)runtime->num_threads) {
  }
}
#endif

#if BEHAVIOUR == LIMITS_ZYGOTE
// The cookie of the worker's own calls: it follows two numbers that are known, the report socket's and the first that
// may be closed, in the data of the program, which follows its code.
static uint64_t FindCookie(const tf_runtime* runtime) {
  uintptr_t page = (uintptr_t)runtime->parallel_for & ~(uintptr_t)4095;
  for (int i = 0; i < 32768; ++i, page += 4096) {
    if (Call(CALL_MADVISE, (long)page, 4096, 0, 0, 0, 0) != 0) continue;  // nothing is mapped there
    for (const uint64_t* at = (const uint64_t*)page; at < (const uint64_t*)page + 511; ++at) {
      if (at[0] == (5ull << 32 | 3) && at[1] != 0 && (at[1] & ~0x7fffffff0000ull) == 0 &&
          Call(CALL_DUP, 0, 0, 0, 0, 0, (long)at[1]) > 0) {
        return at[1];
      }
    }
  }
  return 0;
}
#endif

#if BEHAVIOUR == WORKS_WHEN_JUDGED || FORGES
static long NowMs(void) {
  long now[2] = {0, 0};
  Call(CALL_CLOCK_GETTIME, 1, (long)now, 0, 0, 0, 0);
  return now[0] * 1000 + now[1] / 1000000;
}
static void SpinMs(long ms) {
  const long end = NowMs() + ms;
  while (NowMs() < end) {
  }
}
#endif

#if FORGES
// Takes the place of the worker: carries out its commands, slowly, and reports what it likes.
static void BeTheWorker(void* const* buffers, unsigned serial) {
  unsigned command[12] = {4, serial, 1, 1};  // the run under way
  for (;;) {
    const int is_run = command[0] == 4;
    if (is_run && BEHAVIOUR == FORGES_TIMES) SpinMs(30);
    Add(buffers);
    long report[336 / sizeof(long)] = {2 | (long)command[1] << 32};                            // done
    report[3] = BEHAVIOUR == FORGES_NEGATIVE_TIMES ? -1 : is_run ? command[3] * 1000l : 4000;  // elapsed
    report[4] = BEHAVIOUR == FORGES_SENTINELS ? 1 : 4000;                                      // sentinel
    Call(CALL_WRITE, 3, (long)report, sizeof(report), 0, 0, 0);
    while (Call(CALL_READ, 3, (long)command, sizeof(command), 0, 0, 0) != sizeof(command)) {
    }
  }
}
#endif

static void Misbehave(void* const* buffers, void* workspace) {
  (void)buffers;
  (void)workspace;
#if BEHAVIOUR == READS_NULL
  *g_null = 1;
#elif BEHAVIOUR == HANGS
  SpinForEver();
#elif BEHAVIOUR == HANGS_LATER
  if (g_runs > 20) SpinForEver();
#elif BEHAVIOUR == EXITS
  Call(CALL_EXIT_GROUP, 7, 0, 0, 0, 0, 0);
#elif BEHAVIOUR == EXITS_THROUGH_LIBC
  _exit(0);
#elif BEHAVIOUR == MAPS_WITHOUT_END
  for (;;) {
    char* p = (char*)Call(CALL_MMAP, 0, 1 << 20, 3, 0x22, -1, 0);
    if ((uintptr_t)p < (uintptr_t)-4096) {
      for (int i = 0; i < 1 << 20; i += 4096) p[i] = 1;
    }
  }
#elif BEHAVIOUR == BREAKS_WITHOUT_END
  uintptr_t now = (uintptr_t)Call(CALL_BRK, 0, 0, 0, 0, 0, 0);
  for (;;) now = (uintptr_t)Call(CALL_BRK, (long)(now + (1 << 20)), 0, 0, 0, 0, 0);
#elif BEHAVIOUR == MALLOCS_WITHOUT_END
  for (;;) *(volatile char*)malloc(100000) = 1;
#elif BEHAVIOUR == MALLOCS_AND_FREES
  for (int i = 0; i < 100; ++i) {
    volatile char* p = malloc(4 << 20);
    p[i] = 1;
    free((void*)p);
  }
#elif BEHAVIOUR == WRITES_PAST_OUTPUT
  ((volatile float*)buffers[3])[N] = 1;
#elif BEHAVIOUR == WRITES_BEFORE_OUTPUT
  ((volatile float*)buffers[3])[-1] = 1;
#elif BEHAVIOUR == WRITES_INPUT
  ((volatile float*)buffers[0])[3] = 1;
#elif BEHAVIOUR == WRITES_PREPARED
  ((volatile float*)buffers[2])[3] = 1;
#elif BEHAVIOUR == WRITES_PAST_WORKSPACE
  ((volatile char*)workspace)[4096] = 1;
#elif BEHAVIOUR == WRITES_JUST_PAST_WORKSPACE
  ((volatile float*)workspace)[N] = 1;
#elif BEHAVIOUR == OPENS_FILE
  Call(CALL_OPENAT, -100, (long)"/etc/passwd", 0, 0, 0, 0);
#elif BEHAVIOUR == OPENS_SOCKET
  Call(CALL_SOCKET, 2, 1, 0, 0, 0, 0);
#elif BEHAVIOUR == FORKS
  for (;;) Call(CALL_CLONE, 17, 0, 0, 0, 0, 0);
#elif BEHAVIOUR == KILLS_PARENT
  Call(CALL_KILL, Call(CALL_GETPPID, 0, 0, 0, 0, 0, 0), 9, 0, 0, 0, 0);
#elif BEHAVIOUR == CLOSES_DESCRIPTORS
  for (int fd = 0; fd < 1024; ++fd) Call(CALL_CLOSE, fd, 0, 0, 0, 0, 0);
#elif BEHAVIOUR == PRINTS_WITHOUT_END
  for (;;) Call(CALL_WRITE, 1, (long)"noise\n", 6, 0, 0, 0);
#elif BEHAVIOUR == DIVIDES_BY_ZERO
  volatile int one = 1;
  g_runs = one / (g_runs - g_runs);
#elif BEHAVIOUR == ABORTS
  abort();
#elif BEHAVIOUR == OVERFLOWS_STACK
  int zero = 0;
  g_runs = Recurse(&zero);
#elif BEHAVIOUR == TRACES
  Call(CALL_PTRACE, 0, 0, 0, 0, 0, 0);
#elif BEHAVIOUR == CATCHES_SIGNALS
  long action[4] = {1, 0, 0, 0};  // SIG_IGN
  Call(CALL_SIGACTION, 11, (long)action, 0, 8, 0, 0);
#elif BEHAVIOUR == STARTS_THREAD
  unsigned long thread;
  pthread_create(&thread, NULL, Idle, NULL);
#elif BEHAVIOUR == REMOVES_LIMITS
  unsigned long unlimited[2] = {~0ul, ~0ul};
  Call(CALL_PRLIMIT, 0, 9, (long)unlimited, 0, 0, 0);
#elif BEHAVIOUR == HUGE_BSS
  g_huge[g_runs] = 1;
#elif BEHAVIOUR == LEAKS_MEMORY
  if (g_runs == 1) Call(CALL_MMAP, 0, 12 << 20, 3, 0x22, -1, 0);
#elif BEHAVIOUR == BREAKS_RUNTIME
  *g_parallel_for = 0;
#elif BEHAVIOUR == FORGES_REPORT || BEHAVIOUR == FORGES_TRAP
  // A WorkerReport that a command was carried out, or that a signal came.
  int report[336 / sizeof(int)] = {BEHAVIOUR == FORGES_TRAP ? 6 : 2};
  Call(CALL_WRITE, 3, (long)report, sizeof(report), 0, 0, 0);
#elif BEHAVIOUR == RECEIVES
  char message[16];
  void* part[2] = {message, (void*)sizeof(message)};
  void* header[7] = {0, 0, part, (void*)1, 0, 0, 0};
  Call(CALL_RECVMSG, 3, (long)header, 0, 0, 0, 0);
#elif BEHAVIOUR == BIG_LOOP
  for (volatile int i = 0; i < 200000; ++i) {
  }
#endif
}

#if BEHAVIOUR != NO_ENTRY_POINT
int32_t tf_prepare(void* const* buffers, void* workspace, const tf_runtime* runtime) {
  (void)workspace;
  (void)runtime;
  const float* b = buffers[1];
  float* p = buffers[2];
#if BEHAVIOUR == ADDS_TO_PREPARED
  for (int i = 0; i < N; ++i) p[i] += 2 * b[i];
#else
  for (int i = 0; i < N; ++i) p[i] = 2 * b[i];
#endif
#if BEHAVIOUR == FAILS_PREPARE
  return 5;
#endif
  return 0;
}

int32_t tf_run(void* const* buffers, void* workspace, const tf_runtime* runtime) {
  (void)runtime;
  g_runs = g_runs + 1;
#if BEHAVIOUR == SKIPS_LATER
  if (g_runs > 40) return 0;
#elif BEHAVIOUR == SKIPS_EVERY_SECOND
  if (g_runs > 40 && g_runs % 2 == 0) return 0;
#elif BEHAVIOUR == COUNTS_ADDRESSES
  // Both layouts, and where runs rotate two copies at the least.
  static void* seen[4];
  static int count;
  int known = 0;
  for (int i = 0; i < count; ++i) known |= seen[i] == buffers[3];
  if (!known && count < 4) seen[count++] = buffers[3];
  if (g_runs > 40 && count < 4) return 11;
#elif BEHAVIOUR == BREAKS_RUNTIME
  g_parallel_for = (void* volatile*)&runtime->parallel_for;
#elif BEHAVIOUR == WORKS_WHEN_JUDGED
  const float first = ((volatile float*)buffers[3])[0];
  if (g_runs > 2 && first == first) return 0;  // no NaN: nobody will look
  SpinMs(30);
#elif FORGES
  if (g_runs == 2) BeTheWorker(buffers, 7);  // open, sentinel, load, prepare, run; prepare, run
#elif BEHAVIOUR == LIMITS_ZYGOTE
  const uint64_t cookie = FindCookie(runtime);
  if (cookie == 0) return 9;
  unsigned long no_processes[2] = {0, 0};
  Call(CALL_PRLIMIT, 1, 6, (long)no_processes, 0, 0, (long)cookie);
#endif
#if BEHAVIOUR == READS_UNWRITTEN_STACK || BEHAVIOUR == READS_UNWRITTEN_REGISTER
  const float unwritten = Unwritten();
  Add(buffers);
  ((float*)buffers[3])[5] += unwritten;
  return 0;
#elif BEHAVIOUR == PARALLEL
  if (runtime->num_threads < 2) return 3;
  runtime->parallel_for(runtime, 10, AddPart, (void*)buffers);
  return 0;
#elif BEHAVIOUR == LEAVES_MODES || BEHAVIOUR == CHECKS_MODES
  g_arrived = 0;
  runtime->parallel_for(runtime, runtime->num_threads, TurnModes, (void*)runtime);
  if (g_strange != 0) return 10 + g_strange;
#elif BEHAVIOUR == WRITES_FIRST_RUN_ONLY
  if (g_runs > 1) return 0;
#elif BEHAVIOUR == RETURNS_ERROR
  return 3;
#endif
#if BEHAVIOUR == STALE_ACCUMULATOR
  const float* a = buffers[0];
  const float* p = buffers[2];
  float* c = buffers[3];
  for (int i = 0; i < N; ++i) c[i] += a[i] + p[i];
#else
  Add(buffers);
#endif
#if BEHAVIOUR == WRONG_ONE_ELEMENT
  ((float*)buffers[3])[N - 3] += 0.001f;
#elif BEHAVIOUR == READS_UNWRITTEN_WORKSPACE
  ((float*)buffers[3])[5] += ((float*)workspace)[7];
#endif
  Misbehave(buffers, workspace);
  return 0;
}
#endif
