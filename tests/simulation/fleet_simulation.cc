#include "tests/simulation/fleet_simulation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tunefleet::tracker {
namespace {

Settings SimulationSettings() {
  Settings settings;
  settings.grace = absl::Seconds(3);
  settings.quarantine_backoff = absl::Seconds(2);
  settings.expire_after = absl::Hours(10);
  settings.start_timeout = absl::Hours(10);  // or it would mend what a forgotten lease breaks
  settings.max_blames = 1000;                // crashes are frequent here; giving up is tested elsewhere
  return settings;
}

std::string KeyOf(const v1::Lease& lease) {
  return absl::StrCat(lease.trial_id(), "/", lease.fence().epoch(), "/", lease.fence().counter());
}

}  // namespace

FleetSimulation::FleetSimulation(const SimulationOptions& options)
    : options_(options),
      settings_(SimulationSettings()),
      random_(options.seed),
      now_(absl::UnixEpoch() + absl::Hours(1)),
      trouble_ends_(now_ + options.trouble) {
  agents_.resize(options.agents);
  for (int i = 0; i < options.agents; ++i) {
    agents_[i].id = absl::StrCat("agent", i);
    agents_[i].device = absl::StrCat("device", i);
  }
  clients_.resize(options.clients);
  for (int i = 0; i < options.clients; ++i) {
    clients_[i].job = absl::StrCat("job", i);
    for (int j = 0; j < options.trials_per_client; ++j) {
      // A third of the codes are shared between clients: twins.
      const std::string code = j % 3 == 0 ? absl::StrCat("shared", j) : absl::StrCat("own", i, "-", j);
      clients_[i].trials.push_back(MakeTrial(absl::StrCat("trial", i, "-", j), code));
    }
  }
}

// ---------------------------------------------------------------- clockwork

void FleetSimulation::At(absl::Duration delay, std::function<void()> what) {
  events_[{now_ + delay, ++serial_}] = std::move(what);
}

absl::Duration FleetSimulation::Delay(int most_ms) { return absl::Milliseconds(1 + random_() % most_ms); }

bool FleetSimulation::Chance(double probability) {
  return static_cast<double>(random_() >> 11) / static_cast<double>(uint64_t{1} << 53) < probability;
}

void FleetSimulation::Violate(const std::string& what) {
  if (report_.violation.empty()) report_.violation = absl::StrCat("seed ", options_.seed, ": ", what);
}

SimulationReport FleetSimulation::Run() {
  StartTracker();
  for (Agent& agent : agents_) CrashAgent(&agent);
  for (Client& client : clients_) At(Delay(100), [this, &client] { StartClient(&client); });
  const std::function<void()> tick = [this, &tick] {
    Feed(Tick{});
    At(absl::Milliseconds(100), tick);
  };
  At(absl::ZeroDuration(), tick);
  const std::function<void()> trouble = [this, &trouble] {
    if (now_ >= trouble_ends_) return;
    Agent* agent = &agents_[random_() % agents_.size()];
    Client* client = &clients_[random_() % clients_.size()];
    if (Chance(0.15) && core_ != nullptr) CrashTracker();
    if (Chance(0.3) && agent->up) CrashAgent(agent);
    if (Chance(0.4) && agent->stream != 0) BreakStream(agent);
    if (Chance(0.2) && client->up) CrashClient(client);
    At(Delay(2000), trouble);
  };
  At(Delay(1000), trouble);

  const absl::Time end = trouble_ends_ + options_.patience;
  while (report_.violation.empty() && now_ < end && !(now_ >= trouble_ends_ && Done())) {
    const auto next = events_.begin();
    now_ = next->first.first;
    const std::function<void()> what = std::move(next->second);
    events_.erase(next);
    what();
  }
  CheckEnd();
  return report_;
}

// ---------------------------------------------------------------- tracker

void FleetSimulation::StartTracker() {
  ++tracker_life_;
  const Snapshot snapshot = disk_.Load(++epoch_);
  core_ = std::make_unique<TrackerCore>(settings_, snapshot, now_);
  durable_ = 0;
  pins_.clear();
  for (const Snapshot::Trial& trial : snapshot.trials) {
    if (trial.trial != nullptr) pins_[trial.trial_id] = 1;
  }
}

// What was not durable is lost, and what waited for it never happened.
void FleetSimulation::CrashTracker() {
  ++report_.tracker_crashes;
  ++tracker_life_;
  core_.reset();
  // A commit that was on its way to the disk may or may not have made it: any prefix.
  while (!undurable_.empty() && Chance(0.5)) {
    if (!disk_.Apply(undurable_.front()).ok()) Violate("the store refused a commit at the crash");
    undurable_.pop_front();
  }
  undurable_.clear();
  waiting_.clear();
  calls_.clear();
  for (Agent& agent : agents_) {
    if (agent.stream != 0) BreakStream(&agent);
  }
  for (Client& client : clients_) {
    if (!client.up) continue;
    watchers_.erase(client.watcher);
    client.watcher = 0;
  }
  At(Delay(4000), [this] {
    StartTracker();
    for (Client& client : clients_) {
      if (client.up)
        At(Delay(200), [this, &client, life = client.life] {
          if (client.life == life) StartClient(&client);
        });
    }
  });
}

void FleetSimulation::Feed(const Event& event) {
  if (core_ == nullptr) return;
  for (Action& action : core_->Handle(event, now_)) {
    if (auto* commit = std::get_if<Commit>(&action.what)) {
      const uint64_t number = commit->number;
      undurable_.push_back(std::move(*commit));
      At(Delay(Chance(0.2) ? 1000 : 20), [this, number, life = tracker_life_] { BecomeDurable(number, life); });
    } else {
      waiting_.push_back(std::move(action));
    }
  }
  BecomeDurable(0, tracker_life_);
  CheckStates();
}

void FleetSimulation::BecomeDurable(uint64_t number, uint64_t life) {
  if (life != tracker_life_) return;
  while (!undurable_.empty() && undurable_.front().number <= number) {
    if (absl::Status status = disk_.Apply(undurable_.front()); !status.ok()) {
      Violate(absl::StrCat("the store refused a commit: ", status.message()));
    }
    durable_ = undurable_.front().number;
    undurable_.pop_front();
  }
  while (!waiting_.empty() && waiting_.front().waits_for <= durable_) {
    const Action action = std::move(waiting_.front());
    waiting_.pop_front();
    CarryOut(action);
  }
}

void FleetSimulation::CarryOut(const Action& action) {
  if (const auto* send = std::get_if<SendToAgent>(&action.what)) {
    if (send->message.has_assign() && recorded_.contains(send->message.assign().lease().trial_id())) {
      Violate(absl::StrCat(send->message.assign().lease().trial_id(), " runs again after its result was recorded"));
    }
    absl::Time& last = to_agent_[send->stream];
    last = std::max(last, now_ + Delay(50));
    At(last - now_, [this, stream = send->stream, message = send->message] { ReceiveAtAgent(stream, message); });
  } else if (const auto* close = std::get_if<CloseStream>(&action.what)) {
    if (Agent* agent = AgentOf(close->stream)) BreakStream(agent);
  } else if (const auto* result = std::get_if<SendResult>(&action.what)) {
    const auto watcher = watchers_.find(result->watcher);
    if (watcher == watchers_.end()) return;
    absl::Time& last = watcher->second.second;
    last = std::max(last, now_ + Delay(50));
    At(last - now_, [this, id = result->watcher, cursor = result->cursor, what = result->result] {
      ReceiveResult(id, cursor, *what);
    });
  } else if (const auto* reply = std::get_if<Reply>(&action.what)) {
    At(Delay(50), [this, reply = *reply] {
      const auto call = calls_.find(reply.call);
      if (call == calls_.end()) return;
      const auto then = std::move(call->second);
      calls_.erase(call);
      then(reply);
    });
  } else if (const auto* release = std::get_if<ReleaseBlobs>(&action.what)) {
    if (--pins_[release->trial->trial_id()] < 0) Violate("blobs released twice: " + release->trial->trial_id());
  } else if (std::holds_alternative<CloseWatch>(action.what)) {
    Violate("a watch of an open job was closed");
  }
}

void FleetSimulation::CheckStates() {
  size_t devices = 0;
  uint64_t running = 0;
  const v1::ListDevicesResponse listed = core_->ListDevices(now_);
  for (const v1::DeviceStatus& status : listed.devices()) {
    if (status.state() == v1::DEVICE_STATE_UNSPECIFIED) Violate("a device without a state");
    ++devices;
  }
  if (devices > agents_.size()) Violate("more devices than there are");
  const v1::ListJobsResponse jobs = core_->ListJobs();
  for (const v1::JobStatus& job : jobs.jobs()) running += job.running();
  if (running > agents_.size() * settings_.leases_per_device) Violate("more leases than devices may hold");
}

// ---------------------------------------------------------------- agents

FleetSimulation::Agent* FleetSimulation::AgentOf(StreamId stream) {
  for (Agent& agent : agents_) {
    if (agent.stream == stream && stream != 0) return &agent;
  }
  return nullptr;
}

void FleetSimulation::ConnectAgent(Agent* agent) {
  if (!agent->up || agent->stream != 0) return;
  if (core_ == nullptr) return At(Delay(500), [this, agent] { ConnectAgent(agent); });
  agent->stream = ++last_id_;
  agent->welcome = false;
  v1::Hello hello = MakeHello(agent->id, agent->incarnation, {agent->device});
  if (agent->running.has_value()) *hello.add_held() = *agent->running;
  for (const v1::Lease& lease : agent->queue) *hello.add_held() = lease;
  for (const auto& [key, finished] : agent->unacknowledged) *hello.add_unacknowledged() = finished.lease();
  SendFromAgent(agent, AgentHello{agent->stream, hello});
  for (const auto& [key, finished] : agent->unacknowledged) {
    SendFromAgent(agent, AgentFinished{agent->stream, finished.lease(), finished.result()});
  }
  if (agent->running.has_value()) SendFromAgent(agent, AgentStarted{agent->stream, *agent->running});
}

void FleetSimulation::BreakStream(Agent* agent) {
  ++report_.broken_streams;
  const StreamId stream = std::exchange(agent->stream, 0);
  // The tracker may notice long after the agent is back: or its Hello comes first.
  At(Delay(3000), [this, stream, life = tracker_life_] {
    if (life == tracker_life_) Feed(AgentLost{stream});
  });
  At(Delay(1500), [this, agent] { ConnectAgent(agent); });
}

void FleetSimulation::CrashAgent(Agent* agent) {
  if (agent->up) ++report_.agent_crashes;
  agent->up = false;
  ++agent->run;
  agent->running.reset();
  agent->queue.clear();
  if (Chance(0.5)) agent->unacknowledged.clear();
  if (agent->stream != 0) BreakStream(agent);
  At(Delay(6000), [this, agent] {
    agent->up = true;
    agent->incarnation = random_() | 1;
    ConnectAgent(agent);
  });
}

void FleetSimulation::SendFromAgent(Agent* agent, Event event) {
  const StreamId stream = agent->stream;
  if (stream == 0) return;
  absl::Time& last = to_tracker_[stream];
  last = std::max(last, now_ + Delay(50));
  At(last - now_, [this, stream, life = tracker_life_, event = std::move(event)] {
    if (life == tracker_life_ && AgentOf(stream) != nullptr) Feed(event);
  });
}

void FleetSimulation::ReceiveAtAgent(StreamId stream, const v1::TrackerMessage& message) {
  Agent* agent = AgentOf(stream);
  if (agent == nullptr || !agent->up) return;
  const auto drop = [agent](const v1::Lease& lease) {
    std::erase_if(agent->queue, [&](const v1::Lease& held) { return KeyOf(held) == KeyOf(lease); });
    if (agent->running.has_value() && KeyOf(*agent->running) == KeyOf(lease)) {
      agent->running.reset();
      ++agent->run;
    }
  };
  if (message.has_welcome()) {
    agent->welcome = true;
    for (const v1::Lease& lease : message.welcome().revoked()) drop(lease);
  } else if (!agent->welcome) {
    Violate("a message before Welcome");
  } else if (message.has_assign()) {
    agent->queue.push_back(message.assign().lease());
  } else if (message.has_revoke()) {
    drop(message.revoke().lease());
  } else if (message.has_ack()) {
    agent->unacknowledged.erase(KeyOf(message.ack().lease()));
    if (message.ack().acknowledgement() == v1::ACKNOWLEDGEMENT_STALE) ++report_.stale_acks;
    if (message.ack().acknowledgement() == v1::ACKNOWLEDGEMENT_DUPLICATE) ++report_.duplicate_acks;
    if (message.ack().acknowledgement() != v1::ACKNOWLEDGEMENT_STALE) {
      recorded_.insert(message.ack().lease().trial_id());
    }
  }
  Work(agent);
}

void FleetSimulation::Work(Agent* agent) {
  if (agent->running.has_value() || agent->queue.empty()) return;
  if (agent->queue.size() > settings_.leases_per_device) Violate("an agent was given too many leases");
  agent->running = agent->queue.front();
  agent->queue.pop_front();
  SendFromAgent(agent, AgentStarted{agent->stream, *agent->running});
  At(Delay(3000), [this, agent, run = ++agent->run] {
    if (agent->run != run) return;
    ++report_.runs;
    v1::Finished finished;
    *finished.mutable_lease() = *std::exchange(agent->running, std::nullopt);
    *finished.mutable_result() =
        MakeOutcome(finished.lease().trial_id(), Chance(0.1) ? v1::OUTCOME_DEVICE_ERROR : v1::OUTCOME_OK);
    agent->unacknowledged[KeyOf(finished.lease())] = finished;
    SendFromAgent(agent, AgentFinished{agent->stream, finished.lease(), finished.result()});
    Work(agent);
  });
}

// ---------------------------------------------------------------- clients

// Opens, watches and submits; asks again when an answer stays away.
void FleetSimulation::StartClient(Client* client) {
  client->up = true;
  v1::OpenJobRequest request;
  request.set_job_id(client->job);
  request.set_tenant(client->job);
  Call(
      client,
      [request](CallId call) {
        return OpenJob{call, request};
      },
      [this, client](const Reply& reply) {
        if (!reply.status.ok()) Violate("OpenJob failed");
        Watch(client);
        SubmitSome(client);
      });
}

void FleetSimulation::CrashClient(Client* client) {
  ++report_.client_crashes;
  ++client->life;
  client->up = false;
  watchers_.erase(client->watcher);
  At(Delay(3000), [this, watcher = std::exchange(client->watcher, 0), life = tracker_life_] {
    if (life == tracker_life_ && watcher != 0) Feed(StopWatch{watcher});
  });
  At(Delay(5000), [this, client] { StartClient(client); });
}

void FleetSimulation::Call(Client* client, std::function<Event(CallId)> make, std::function<void(const Reply&)> then) {
  const CallId call = ++last_id_;
  calls_[call] = [client, life = client->life, then = std::move(then)](const Reply& reply) {
    if (client->life == life) then(reply);
  };
  At(Delay(50), [this, call, make] { Feed(make(call)); });
  // Sometimes the network delivers a call twice; nobody waits for the second answer.
  if (Chance(0.2)) {
    At(Delay(5000), [this, make] { Feed(make(++last_id_)); });
  }
}

void FleetSimulation::SubmitSome(Client* client) {
  std::vector<std::shared_ptr<const v1::Trial>> trials;
  for (const v1::Trial& trial : client->trials) {
    if (client->records.contains(trial.trial_id())) continue;
    if (trials.size() < 4 && (!client->accepted.contains(trial.trial_id()) || Chance(0.2))) {
      trials.push_back(std::make_shared<const v1::Trial>(trial));
    }
  }
  if (trials.empty()) return;
  Call(
      client,
      [this, job = client->job, trials](CallId call) {
        Submit submit{call, job, {}};
        for (const auto& trial : trials) {
          submit.trials.push_back({trial, {}});
          if (core_ != nullptr) ++pins_[trial->trial_id()];
        }
        return submit;
      },
      [this, client](const Reply& reply) {
        if (!reply.status.ok()) return Violate(absl::StrCat("Submit failed: ", reply.status.message()));
        for (const std::string& id : std::get<v1::SubmitResponse>(reply.response).accepted()) {
          client->accepted.insert(id);
        }
        At(Delay(2000), [this, client, life = client->life] {
          if (client->life == life) SubmitSome(client);
        });
      });
}

void FleetSimulation::Watch(Client* client) {
  if (core_ == nullptr) return;
  client->watcher = ++last_id_;
  watchers_[client->watcher] = {client, now_};
  v1::WatchRequest request;
  request.set_job_id(client->job);
  request.set_after(client->acknowledged);
  Feed(StartWatch{client->watcher, request});
}

void FleetSimulation::ReceiveResult(WatcherId watcher, uint64_t cursor, const v1::TrialResult& result) {
  const auto found = watchers_.find(watcher);
  if (found == watchers_.end()) return;
  Client* client = found->second.first;
  // The record is durable and unique by trial id, and only then is the cursor acknowledged.
  const auto [record, fresh] = client->records.try_emplace(result.trial_id(), cursor);
  if (!fresh && record->second != cursor) Violate(result.trial_id() + " has two results");
  if (fresh && cursor != client->records.size()) Violate("a gap in the cursors of " + client->job);
  if (!Chance(0.5) && client->records.size() < client->trials.size()) return;
  v1::AcknowledgeRequest request;
  request.set_job_id(client->job);
  request.set_cursor(cursor);
  Call(
      client,
      [request](CallId call) {
        return Acknowledge{call, request};
      },
      [this, client, cursor](const Reply& reply) {
        if (!reply.status.ok()) Violate(absl::StrCat("Acknowledge failed: ", reply.status.message()));
        client->acknowledged = std::max(client->acknowledged, cursor);
      });
}

bool FleetSimulation::Done() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return client.records.size() == client.trials.size(); });
}

void FleetSimulation::CheckEnd() {
  for (const Client& client : clients_) {
    report_.records += static_cast<int>(client.records.size());
    if (client.records.size() != client.trials.size()) {
      Violate(absl::StrCat(client.job, ": ", client.trials.size() - client.records.size(), " trials lost"));
    }
  }
}

}  // namespace tunefleet::tracker
