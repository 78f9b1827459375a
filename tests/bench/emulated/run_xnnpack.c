// Runs XNNPACK's 3x3 convolution (stride 1, padding 1, NHWC, one thread) some times, on zeros: for counting its
// instructions under an emulator. qs8 gives int8, requantized in the kernel.
//
//   run_xnnpack RUNS f32|qs8 HEIGHT-AND-WIDTH INPUT-CHANNELS OUTPUT-CHANNELS
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

enum { kSlack = 64 };  // elements that XNNPACK may read past the end

static xnn_operator_t MakeF32(size_t size, size_t ci, size_t co) {
  float* const weight = calloc(co * 9 * ci, sizeof(float));
  float* const bias = calloc(co, sizeof(float));
  float* const input = calloc(size * size * ci + kSlack, sizeof(float));
  float* const output = calloc(size * size * co + kSlack, sizeof(float));
  xnn_operator_t convolution = NULL;
  if (xnn_create_convolution2d_nhwc_f32(1, 1, 1, 1, 3, 3, 1, 1, 1, 1, 1, ci, co, ci, co, weight, bias, -INFINITY,
                                        INFINITY, 0, &convolution) != xnn_status_success ||
      xnn_setup_convolution2d_nhwc_f32(convolution, 1, size, size, input, output, NULL) != xnn_status_success) {
    return NULL;
  }
  return convolution;
}

static xnn_operator_t MakeQs8(size_t size, size_t ci, size_t co) {
  int8_t* const weight = calloc(co * 9 * ci, 1);
  int32_t* const bias = calloc(co, sizeof(int32_t));
  int8_t* const input = calloc(size * size * ci + kSlack, 1);
  int8_t* const output = calloc(size * size * co + kSlack, 1);
  xnn_operator_t convolution = NULL;
  if (xnn_create_convolution2d_nhwc_qs8(1, 1, 1, 1, 3, 3, 1, 1, 1, 1, 1, ci, co, ci, co, 0, 0.5f, 0.5f, weight, bias, 0,
                                        0.5f, INT8_MIN, INT8_MAX, 0, &convolution) != xnn_status_success ||
      xnn_setup_convolution2d_nhwc_qs8(convolution, 1, size, size, input, output, NULL) != xnn_status_success) {
    return NULL;
  }
  return convolution;
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const size_t size = strtoull(argv[3], NULL, 10), ci = strtoull(argv[4], NULL, 10), co = strtoull(argv[5], NULL, 10);
  xnn_operator_t convolution = NULL;
  if (xnn_initialize(NULL) == xnn_status_success) {
    convolution = strcmp(argv[2], "qs8") == 0 ? MakeQs8(size, ci, co) : MakeF32(size, ci, co);
  }
  if (convolution == NULL) {
    fprintf(stderr, "run_xnnpack: XNNPACK refuses this convolution or this processor\n");
    return 1;
  }
  for (int i = atoi(argv[1]); i > 0; --i) {
    if (xnn_run_operator(convolution, NULL) != xnn_status_success) return 1;
  }
  return 0;
}
