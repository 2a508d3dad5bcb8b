// ResponseStore: what /v1/responses keeps so that a conversation can be continued by id: the
// response as it was sent and the conversation up to it. In memory, bounded; the one used longest
// ago goes first. Who knows an id may read it: ids cannot be guessed. Thread-safe.
#pragma once

#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>

namespace twostroke {

class ResponseStore {
 public:
  struct Entry {
    std::string response;             // JSON, as it was sent
    nlohmann::ordered_json messages;  // chat messages, the answer among them; no instructions
  };
  struct Limits {
    size_t max_entries = 1024;
    size_t max_bytes = size_t{64} << 20;  // of JSON, all together
  };

  explicit ResponseStore(Limits limits) : limits_(limits) {}

  // What is larger than all there may be is not kept.
  void put(const std::string& id, Entry entry);
  std::optional<Entry> find(const std::string& id);
  bool erase(const std::string& id);
  size_t bytes() const;

 private:
  struct Slot {
    std::string id;
    Entry entry;
    size_t bytes = 0;
  };
  void drop(std::list<Slot>::iterator slot);

  mutable std::mutex mutex_;
  const Limits limits_;
  std::list<Slot> slots_;  // used last comes first
  std::unordered_map<std::string, std::list<Slot>::iterator> by_id_;
  size_t bytes_ = 0;
};

}  // namespace twostroke
