#include "device_server/worker/thread_state.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <csignal>
#include <limits>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace tunefleet::device {
namespace {

TEST(ThreadStateTest, IsThatOfANewProcess) {
  std::fesetround(FE_UPWARD);
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // denormals are zero
#endif
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  ResetThreadState();
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  volatile float small = std::numeric_limits<float>::denorm_min();
  small = small * 3.0F;
  EXPECT_GT(small, 0);
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  EXPECT_TRUE(sigisemptyset(&blocked));
}

}  // namespace
}  // namespace tunefleet::device
