// SeqCell: a value that one thread writes without ever waiting and any thread copies: a sequence
// lock whose payload is relaxed atomics, so that a reader that loses the race sees it in the
// version and tries again, without a data race. SeqRing: the last N such values, numbered from 1.
// Neither allocates after construction.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/check.h"

namespace twostroke {

template <typename T>
class SeqCell {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(uint64_t) == 0);

 public:
  // One thread at a time. Release on the words keeps them after the odd version.
  void store(const T& value) {
    Words words;
    std::memcpy(words.data(), &value, sizeof(T));
    const uint64_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    for (size_t i = 0; i < kWords; ++i) words_[i].store(words[i], std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
  }
  // Any thread. False: it was being written meanwhile, or never.
  bool try_load(T& value) const {
    const uint64_t before = version_.load(std::memory_order_acquire);
    Words words;
    for (size_t i = 0; i < kWords; ++i) words[i] = words_[i].load(std::memory_order_acquire);
    if (before == 0 || before % 2 != 0 || version_.load(std::memory_order_relaxed) != before) {
      return false;
    }
    std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
    return true;
  }
  // Any thread; tries until it succeeds. REQUIRES: something was stored.
  void load(T& value) const {
    while (!try_load(value)) std::this_thread::yield();
  }

 private:
  static constexpr size_t kWords = sizeof(T) / sizeof(uint64_t);
  using Words = std::array<uint64_t, kWords>;

  std::atomic<uint64_t> version_{0};  // odd while being written
  std::array<std::atomic<uint64_t>, kWords> words_{};
};

template <typename T>
class SeqRing {
 public:
  explicit SeqRing(int capacity)
      : capacity_(capacity), slots_(std::make_unique<Slot[]>(static_cast<size_t>(capacity))) {
    CHECK_GT(capacity, 0);
  }

  // One thread. Returns the value's number.
  int64_t append(const T& value) {
    const int64_t number = last_.load(std::memory_order_relaxed) + 1;
    slots_[static_cast<size_t>(number % capacity_)].store({number, value});
    last_.store(number, std::memory_order_release);
    return number;
  }
  // Any thread, as everything below.
  int64_t last() const { return last_.load(std::memory_order_acquire); }
  int64_t oldest() const { return std::max<int64_t>(1, last() - capacity_ + 1); }
  int capacity() const { return capacity_; }
  // None: overwritten, or not there yet.
  std::optional<T> at(int64_t number) const {
    Numbered found;
    if (number < 1 || !slots_[static_cast<size_t>(number % capacity_)].try_load(found)) return {};
    if (found.number != number) return {};
    return found.value;
  }
  // Those with numbers above `after` that are still there, oldest first.
  std::vector<T> since(int64_t after) const {
    std::vector<T> values;
    const int64_t last = this->last();
    for (int64_t number = std::max(after + 1, oldest()); number <= last; ++number) {
      if (auto value = at(number)) values.push_back(*value);
    }
    return values;
  }

 private:
  struct Numbered {
    int64_t number = 0;
    T value{};
  };
  using Slot = SeqCell<Numbered>;

  int capacity_;
  std::unique_ptr<Slot[]> slots_;
  std::atomic<int64_t> last_{0};
};

}  // namespace twostroke
