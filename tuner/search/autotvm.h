// Settings of the AutoTVM search: Algorithm 1 of "Learning to Optimize Tensor Programs" (Chen et al., 2018).
#ifndef TUNEFLEET_TUNER_SEARCH_AUTOTVM_H_
#define TUNEFLEET_TUNER_SEARCH_AUTOTVM_H_

#include <cstdint>

namespace tunefleet::tuner {

struct AutoTvmOptions {
  int batch = 32;         // b: candidates planned at once; the paper's 64 learns too seldom in a hundred trials
  int warm_up = 32;       // measured candidates before the model is asked; random until then
  int chains = 128;       // parallel Markov chains; their states persist across plans
  int max_steps = 500;    // of every chain in one plan; temperature falls from 1 to 0 over them
  int patience = 50;      // steps without a change of the best candidates end the annealing
  int draws = 16;         // of which the most promising is a random candidate or a chain's start, every other time
  double restart = 0.25;  // share of the chains that start every plan at the best measured candidates
  double epsilon = 0.05;  // share of every batch drawn at random
  double lambda = 2;      // Eq. 3 picks from the top lambda * b; 1: the top b as they are
  double alpha = 0.1;     // Eq. 3's weight of one component covered, in standard deviations of the score
  uint64_t seed = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_AUTOTVM_H_
