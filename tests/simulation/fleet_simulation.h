// A whole fleet in one thread: the real TrackerCore, a store that forgets what was not durable, agents and clients that
// crash, a network that delays and breaks. Everything follows from one seed.
//
// Messages of one stream stay in order; streams overtake each other. A broken stream loses what is under way in both
// directions. Clients send some calls twice. Checks, after every step and at the end:
//  - every trial that was accepted ends with exactly one record at its client, and cursors have no gaps;
//  - no agent is given a trial after its result was acknowledged as recorded; no trial has two results;
//  - device states sum to the number of devices, and none holds more leases than it may;
//  - blobs are released exactly once for each trial that was accepted.
#ifndef TUNEFLEET_TESTS_SIMULATION_FLEET_SIMULATION_H_
#define TUNEFLEET_TESTS_SIMULATION_FLEET_SIMULATION_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/tracker/core_harness.h"
#include "tests/tracker/memory_store.h"
#include "tracker/core/tracker_core.h"

namespace tunefleet::tracker {

struct SimulationOptions {
  uint64_t seed = 1;
  int agents = 3;
  int clients = 2;
  int trials_per_client = 12;
  // Things go wrong for this long, then the fleet is left in peace until all is done.
  absl::Duration trouble = absl::Seconds(60);
  absl::Duration patience = absl::Minutes(30);
};

struct SimulationReport {
  std::string violation;  // empty: none
  int tracker_crashes = 0;
  int agent_crashes = 0;
  int client_crashes = 0;
  int broken_streams = 0;
  int runs = 0;     // trials that agents carried out
  int records = 0;  // at the clients
  int duplicate_acks = 0;
  int stale_acks = 0;
};

class FleetSimulation {
 public:
  explicit FleetSimulation(const SimulationOptions& options);
  SimulationReport Run();

 private:
  struct Agent {
    std::string id;
    std::string device;
    bool up = false;
    uint64_t incarnation = 0;
    StreamId stream = 0;  // 0: not connected
    bool welcome = false;
    std::deque<v1::Lease> queue;                         // assigned, not started
    std::optional<v1::Lease> running;                    // with its epoch in `run`
    uint64_t run = 0;                                    // raised whenever `running` changes
    std::map<std::string, v1::Finished> unacknowledged;  // by trial and fence; may survive a restart
  };
  struct Client {
    std::string job;
    std::vector<v1::Trial> trials;
    std::set<std::string> accepted;           // durable at the client, like its records
    std::map<std::string, uint64_t> records;  // trial id -> cursor
    uint64_t acknowledged = 0;
    bool up = false;
    uint64_t life = 0;  // raised by a crash: calls of an older life are not heard
    WatcherId watcher = 0;
  };
  struct Pending {
    Action action;
  };

  // The clockwork.
  void At(absl::Duration delay, std::function<void()> what);
  absl::Duration Delay(int most_ms);
  bool Chance(double probability);
  void Violate(const std::string& what);

  // The tracker and its disk.
  void StartTracker();
  void CrashTracker();
  void Feed(const Event& event);
  void CarryOut(const Action& action);
  void BecomeDurable(uint64_t number, uint64_t life);
  void CheckStates();

  // Agents.
  Agent* AgentOf(StreamId stream);
  void ConnectAgent(Agent* agent);
  void BreakStream(Agent* agent);
  void CrashAgent(Agent* agent);
  void SendFromAgent(Agent* agent, Event event);
  void ReceiveAtAgent(StreamId stream, const v1::TrackerMessage& message);
  void Work(Agent* agent);

  // Clients.
  void StartClient(Client* client);
  void CrashClient(Client* client);
  void Call(Client* client, std::function<Event(CallId)> make, std::function<void(const Reply&)> then);
  void SubmitSome(Client* client);
  void Watch(Client* client);
  void ReceiveResult(WatcherId watcher, uint64_t cursor, const v1::TrialResult& result);
  bool Done() const;
  void CheckEnd();

  const SimulationOptions options_;
  const Settings settings_;
  SimulationReport report_;
  std::mt19937_64 random_;
  absl::Time now_;
  absl::Time trouble_ends_;
  uint64_t serial_ = 0;
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> events_;

  MemoryStore disk_;
  uint64_t epoch_ = 0;
  std::unique_ptr<TrackerCore> core_;  // null: down
  uint64_t tracker_life_ = 0;
  uint64_t durable_ = 0;
  std::deque<Commit> undurable_;
  std::deque<Action> waiting_;

  std::vector<Agent> agents_;
  std::vector<Client> clients_;
  uint64_t last_id_ = 0;
  std::map<StreamId, absl::Time> to_tracker_;  // of each stream: when its last message arrives
  std::map<StreamId, absl::Time> to_agent_;
  std::map<WatcherId, std::pair<Client*, absl::Time>> watchers_;
  std::map<CallId, std::function<void(const Reply&)>> calls_;
  std::set<std::string> recorded_;   // trials whose result an agent knows to be recorded
  std::map<std::string, int> pins_;  // by trial, in this life of the tracker
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TESTS_SIMULATION_FLEET_SIMULATION_H_
