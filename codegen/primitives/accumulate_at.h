// accumulate_at: a reduction in several passes. What one iteration of a loop adds is summed up in a buffer of its own,
// close by, and then added to what the block wrote: partial sums of matrix products whose depth is cut for the caches.
//
//   for k.b:                         for k.b:
//     for x:                           for x:
//       for k.o, x.i:                    for x.i: name.init: acc[x] = 0
//         t[x] += f(x, k)       =>       for k.o, x.i: acc[x] += f(x, k)
//                                        for x.i: name.zero: where k.b == 0: t[x] = 0
//                                        for x.i: name.out: t[x] += acc[x]
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_ACCUMULATE_AT_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_ACCUMULATE_AT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The block adds to the new buffer `name` (shape of the one that it wrote) instead. Blocks "<name>.init", "<name>.zero"
// (the block's own init, in the first pass) and "<name>.out" stand in the loop, around the statement that holds the
// block, under serial loops "<block>.<iterator>", one per iterator; those of "<name>.out" are the outer reduction
// loops, then the block's spatial iterators. Sums are made in another order. Scope: local, workspace or shared.
// Errors: NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT (name, scope), FAILED_PRECONDITION (the loop is not around the
// block; the block is not a sum with an init that is not decomposed yet; a loop outside makes both a spatial and a
// reduction iterator, or has bounds that are not constant; elements that the loop's iterations share or do not all
// reach; another block under the loop that uses the buffer).
absl::StatusOr<LoopNest> AccumulateAt(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                      absl::string_view scope, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_ACCUMULATE_AT_H_
