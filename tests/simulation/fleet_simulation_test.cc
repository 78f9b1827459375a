#include "tests/simulation/fleet_simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tunefleet::tracker {
namespace {

// TUNEFLEET_SIMULATION_SEEDS asks for more than the default; TUNEFLEET_SIMULATION_FIRST_SEED for others.
uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(FleetSimulationTest, NothingIsLostAndNothingDoubledWhateverCrashes) {
  const uint64_t first = FromEnvironment("TUNEFLEET_SIMULATION_FIRST_SEED", 1);
  const uint64_t seeds = FromEnvironment("TUNEFLEET_SIMULATION_SEEDS", 300);
  SimulationReport sum;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    SimulationOptions options;
    options.seed = seed;
    options.agents = 1 + static_cast<int>(seed % 4);
    options.clients = 1 + static_cast<int>(seed % 3);
    const SimulationReport report = FleetSimulation(options).Run();
    ASSERT_EQ(report.violation, "");
    sum.tracker_crashes += report.tracker_crashes;
    sum.agent_crashes += report.agent_crashes;
    sum.client_crashes += report.client_crashes;
    sum.duplicate_acks += report.duplicate_acks;
    sum.stale_acks += report.stale_acks;
    sum.runs += report.runs;
    sum.records += report.records;
  }
  // A simulation in which nothing happens proves nothing.
  EXPECT_GT(sum.tracker_crashes, static_cast<int>(seeds));
  EXPECT_GT(sum.agent_crashes, static_cast<int>(seeds));
  EXPECT_GT(sum.client_crashes, static_cast<int>(seeds));
  EXPECT_GT(sum.duplicate_acks, 0);
  EXPECT_GT(sum.stale_acks, 0);
  RecordProperty("runs", sum.runs);
  RecordProperty("records", sum.records);
}

TEST(FleetSimulationTest, SameSeedGivesTheSameRun) {
  SimulationOptions options;
  options.seed = 42;
  const SimulationReport first = FleetSimulation(options).Run();
  const SimulationReport second = FleetSimulation(options).Run();
  EXPECT_EQ(first.runs, second.runs);
  EXPECT_EQ(first.broken_streams, second.broken_streams);
  EXPECT_EQ(first.stale_acks, second.stale_acks);
}

}  // namespace
}  // namespace tunefleet::tracker
