#include "server/response_store.h"

#include <utility>

#include "server/json_text.h"

namespace twostroke {

void ResponseStore::put(const std::string& id, Entry entry) {
  const size_t bytes = id.size() + entry.response.size() + dump_json(entry.messages).size();
  if (bytes > limits_.max_bytes) return;
  const std::lock_guard lock(mutex_);
  if (const auto it = by_id_.find(id); it != by_id_.end()) drop(it->second);
  slots_.push_front({id, std::move(entry), bytes});
  by_id_[id] = slots_.begin();
  bytes_ += bytes;
  while (slots_.size() > limits_.max_entries || bytes_ > limits_.max_bytes)
    drop(std::prev(slots_.end()));
}

std::optional<ResponseStore::Entry> ResponseStore::find(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return std::nullopt;
  slots_.splice(slots_.begin(), slots_, it->second);
  return it->second->entry;
}

bool ResponseStore::erase(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return false;
  drop(it->second);
  return true;
}

size_t ResponseStore::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void ResponseStore::drop(std::list<Slot>::iterator slot) {
  bytes_ -= slot->bytes;
  by_id_.erase(slot->id);
  slots_.erase(slot);
}

}  // namespace twostroke
