// Runs XNNPACK's 3x3 convolution (stride 1, padding 1, NHWC, fp32, one thread) some times, on zeros: for counting its
// instructions under an emulator.
//
//   run_xnnpack RUNS HEIGHT-AND-WIDTH INPUT-CHANNELS OUTPUT-CHANNELS
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xnnpack.h>

enum { kSlack = 64 };  // elements that XNNPACK may read past the end

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const size_t size = strtoull(argv[2], NULL, 10), ci = strtoull(argv[3], NULL, 10), co = strtoull(argv[4], NULL, 10);
  float* const weight = calloc(co * 9 * ci, sizeof(float));
  float* const bias = calloc(co, sizeof(float));
  float* const input = calloc(size * size * ci + kSlack, sizeof(float));
  float* const output = calloc(size * size * co + kSlack, sizeof(float));
  xnn_operator_t convolution = NULL;
  if (xnn_initialize(NULL) != xnn_status_success ||
      xnn_create_convolution2d_nhwc_f32(1, 1, 1, 1, 3, 3, 1, 1, 1, 1, 1, ci, co, ci, co, weight, bias, -INFINITY,
                                        INFINITY, 0, &convolution) != xnn_status_success ||
      xnn_setup_convolution2d_nhwc_f32(convolution, 1, size, size, input, output, NULL) != xnn_status_success) {
    fprintf(stderr, "run_xnnpack: XNNPACK refuses this convolution or this processor\n");
    return 1;
  }
  for (int i = atoi(argv[1]); i > 0; --i) {
    if (xnn_run_operator(convolution, NULL) != xnn_status_success) return 1;
  }
  return 0;
}
