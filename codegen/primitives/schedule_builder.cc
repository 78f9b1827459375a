// ScheduleBuilder: primitive calls written down as data. Apply (apply.cc) reads the same names.
#include <utility>

#include "codegen/primitives/schedule.h"

namespace tunefleet::codegen {
namespace {

class Call {
 public:
  Call(v1::Schedule& schedule, absl::string_view primitive) : call_(*schedule.add_calls()) {
    call_.set_primitive(std::string(primitive));
  }
  Call& With(absl::string_view name, absl::string_view value) {
    Add(name)->set_string_value(std::string(value));
    return *this;
  }
  Call& With(absl::string_view name, const std::vector<int64_t>& values) {
    v1::PrimitiveArgument::IntList* list = Add(name)->mutable_ints();
    for (const int64_t value : values) list->add_values(value);
    return *this;
  }
  Call& With(absl::string_view name, const std::vector<std::string>& values) {
    v1::PrimitiveArgument::StringList* list = Add(name)->mutable_strings();
    for (const std::string& value : values) list->add_values(value);
    return *this;
  }

 private:
  v1::PrimitiveArgument* Add(absl::string_view name) {
    v1::PrimitiveArgument* argument = call_.add_arguments();
    argument->set_name(std::string(name));
    return argument;
  }

  v1::PrimitiveCall& call_;
};

}  // namespace

ScheduleBuilder::ScheduleBuilder(std::string implementation, int version) {
  schedule_.set_implementation(std::move(implementation));
  schedule_.set_implementation_version(version);
}

ScheduleBuilder& ScheduleBuilder::Split(absl::string_view loop, std::vector<int64_t> factors,
                                        std::vector<std::string> names) {
  Call(schedule_, "split").With("loop", loop).With("factors", factors).With("names", names);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Fuse(std::vector<std::string> loops, absl::string_view name) {
  Call(schedule_, "fuse").With("loops", loops).With("name", name);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Reorder(std::vector<std::string> loops) {
  Call(schedule_, "reorder").With("loops", loops);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Partition(absl::string_view loop, std::vector<int64_t> points,
                                            std::vector<std::string> suffixes) {
  Call(schedule_, "partition").With("loop", loop).With("points", points).With("suffixes", suffixes);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Vectorize(absl::string_view loop) {
  Call(schedule_, "vectorize").With("loop", loop);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Unroll(absl::string_view loop) {
  Call(schedule_, "unroll").With("loop", loop);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Parallel(absl::string_view loop) {
  Call(schedule_, "parallel").With("loop", loop);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::CacheRead(absl::string_view block, absl::string_view buffer, absl::string_view scope,
                                            absl::string_view name) {
  Call(schedule_, "cache_read").With("block", block).With("buffer", buffer).With("scope", scope).With("name", name);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::CacheWrite(absl::string_view block, absl::string_view buffer, absl::string_view scope,
                                             absl::string_view name) {
  Call(schedule_, "cache_write").With("block", block).With("buffer", buffer).With("scope", scope).With("name", name);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::ComputeAt(absl::string_view block, absl::string_view loop) {
  Call(schedule_, "compute_at").With("block", block).With("loop", loop);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::ReverseComputeAt(absl::string_view block, absl::string_view loop) {
  Call(schedule_, "reverse_compute_at").With("block", block).With("loop", loop);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::ComputeInline(absl::string_view block) {
  Call(schedule_, "compute_inline").With("block", block);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::SetScope(absl::string_view buffer, absl::string_view scope) {
  Call(schedule_, "set_scope").With("buffer", buffer).With("scope", scope);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Prefetch(absl::string_view buffer, int64_t bytes) {
  Call(schedule_, "prefetch").With("buffer", buffer).With("bytes", std::vector<int64_t>{bytes});
  return *this;
}

ScheduleBuilder& ScheduleBuilder::FoldLoads(absl::string_view buffer) {
  Call(schedule_, "fold_loads").With("buffer", buffer);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::DecomposeReduction(absl::string_view block, absl::string_view loop,
                                                     absl::string_view name) {
  Call(schedule_, "decompose_reduction").With("block", block).With("loop", loop).With("name", name);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::AccumulateAt(absl::string_view block, absl::string_view loop, absl::string_view scope,
                                               absl::string_view name) {
  Call(schedule_, "accumulate_at").With("block", block).With("loop", loop).With("scope", scope).With("name", name);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::RFactor(absl::string_view block, absl::string_view loop, absl::string_view scope,
                                          absl::string_view name) {
  Call(schedule_, "rfactor").With("block", block).With("loop", loop).With("scope", scope).With("name", name);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Tensorize(absl::string_view loop, absl::string_view intrinsic) {
  Call(schedule_, "tensorize").With("loop", loop).With("intrinsic", intrinsic);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::TransformLayout(absl::string_view buffer, std::vector<std::string> terms,
                                                  absl::string_view name) {
  Call(schedule_, "transform_layout").With("buffer", buffer).With("terms", terms).With("name", name);
  return *this;
}

ScheduleBuilder& ScheduleBuilder::Pad(absl::string_view block, absl::string_view buffer, std::vector<int64_t> before,
                                      std::vector<int64_t> after, absl::string_view scope, absl::string_view name) {
  Call(schedule_, "pad")
      .With("block", block)
      .With("buffer", buffer)
      .With("before", before)
      .With("after", after)
      .With("scope", scope)
      .With("name", name);
  return *this;
}

}  // namespace tunefleet::codegen
