#include "engine/request_journal.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace twostroke {

void RequestJournal::add(std::shared_ptr<RequestRecord> record) {
  const std::lock_guard lock(mutex_);
  CHECK(records_.empty() || records_.back()->about().id < record->about().id);
  records_.push_back(std::move(record));
  forget_oldest();
}

void RequestJournal::forget_oldest() {
  auto excess =
      std::ranges::count_if(records_, [](const auto& it) { return it->is_over(); }) - num_finished_;
  std::erase_if(records_, [&](const auto& it) { return excess > 0 && it->is_over() && excess--; });
}

RequestJournal::Record RequestJournal::find(RequestId id) const {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::lower_bound(records_, id, {}, [](const auto& it) { return it->about().id; });
  return found != records_.end() && (*found)->about().id == id ? *found : nullptr;
}

std::vector<RequestJournal::Record> RequestJournal::find_reply(std::string_view reply_id) const {
  const std::lock_guard lock(mutex_);
  std::vector<Record> found;
  for (const auto& it : records_) {
    if (!reply_id.empty() && it->about().reply_id == reply_id) found.push_back(it);
  }
  return found;
}

std::vector<RequestJournal::Record> RequestJournal::live() const {
  const std::lock_guard lock(mutex_);
  std::vector<Record> found;
  for (const auto& it : records_) {
    if (!it->is_over()) found.push_back(it);
  }
  return found;
}

std::vector<RequestJournal::Record> RequestJournal::finished(int limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<Record> found;
  for (auto it = records_.rbegin(); it != records_.rend(); ++it) {
    if (static_cast<int>(found.size()) >= std::min(limit, num_finished_)) break;
    if ((*it)->is_over()) found.push_back(*it);
  }
  return found;
}

}  // namespace twostroke
