// RequestJournal: finds the records of the requests that live, and of the last ones that ended. Any
// thread but the engine's, which only ever writes into records it was given.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "engine/request_record.h"

namespace twostroke {

class RequestJournal {
 public:
  using Record = std::shared_ptr<const RequestRecord>;

  // `num_finished`: how many of the ended ones are kept.
  explicit RequestJournal(int num_finished) : num_finished_(num_finished) {}

  void add(std::shared_ptr<RequestRecord> record);  // ascending ids
  Record find(RequestId id) const;
  // All requests of one reply, by choice.
  std::vector<Record> find_reply(std::string_view reply_id) const;
  // In order of arrival.
  std::vector<Record> live() const;
  // The newest first, at most `limit`.
  std::vector<Record> finished(int limit) const;
  int num_finished_kept() const { return num_finished_; }

 private:
  void forget_oldest();

  const int num_finished_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<RequestRecord>> records_;  // ascending ids
};

}  // namespace twostroke
