// Records, journal and step log: what others see of requests and steps, within their bounds.
#include "engine/request_record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "engine/request_journal.h"
#include "engine/step_log.h"

namespace twostroke {
namespace {

std::shared_ptr<RequestRecord> record_of(RequestId id, const std::string& reply_id = "") {
  return std::make_shared<RequestRecord>(RequestAbout{.id = id,
                                                      .reply_id = reply_id,
                                                      .num_prompt_tokens = 1000,
                                                      .max_tokens = 1 << 20,
                                                      .received_ns = 5});
}

void set_phase(RequestRecord& record, RequestPhase phase) {
  RequestProgress progress = record.progress();
  progress.phase = phase;
  record.publish(progress);
}

TEST(RequestRecord, IsWaitingFromTheStart) {
  const auto record = record_of(1);
  EXPECT_EQ(record->phase(), RequestPhase::kWaiting);
  EXPECT_EQ(record->progress().events.received_ns, 5);
  EXPECT_EQ(record->progress().ledger.total_ns(), 0);
  EXPECT_TRUE(record->chunks().empty());
  EXPECT_TRUE(record->sampled_ns().empty());
}

TEST(RequestRecord, ManyChunksEndInOneAndNothingIsLost) {
  const auto record = record_of(1);
  for (int i = 0; i < 1000; ++i) {
    record->add_chunk({.step = i,
                       .first_token = i,
                       .num_tokens = 1,
                       .start_ns = i,
                       .end_ns = i + 1,
                       .own_ns = 3});
  }
  const std::vector<PrefillChunk> chunks = record->chunks();
  ASSERT_EQ(chunks.size(), static_cast<size_t>(RequestRecord::kMaxChunks));
  int64_t own_ns = 0;
  int tokens = 0;
  for (const PrefillChunk& chunk : chunks) {
    EXPECT_EQ(chunk.first_token, tokens);
    tokens += chunk.num_tokens;
    own_ns += chunk.own_ns;
  }
  EXPECT_EQ(tokens, 1000);
  EXPECT_EQ(own_ns, 3000);
  EXPECT_EQ(chunks.back().end_ns, 1000);
}

TEST(RequestRecord, TokenTimesAreBoundedAndCounted) {
  const auto record = record_of(1);
  for (int i = 0; i < RequestRecord::kMaxTokenTimes + 10; ++i) record->add_sampled(i);
  record->add_sent(3, 77);
  EXPECT_EQ(record->sampled_ns().size(), static_cast<size_t>(RequestRecord::kMaxTokenTimes));
  EXPECT_EQ(record->num_sampled(), RequestRecord::kMaxTokenTimes + 10);
  EXPECT_EQ(record->sent_ns(), (std::vector<int64_t>{77, 77, 77}));
}

TEST(RequestRecord, TheFirstReasonToEndStays) {
  const auto record = record_of(1);
  record->set_end(RequestEnd::kDisconnect);
  record->set_end(RequestEnd::kWriteTimeout);
  EXPECT_EQ(record->progress().end, RequestEnd::kNone);  // it still runs
  set_phase(*record, RequestPhase::kDelivering);
  EXPECT_TRUE(record->is_over());
  EXPECT_EQ(record->progress().phase, RequestPhase::kFinished);
  EXPECT_EQ(record->progress().end, RequestEnd::kDisconnect);
}

TEST(RequestRecord, ReadersSeeWholeProgress) {
  const auto record = record_of(1);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 1; i <= 20'000; ++i) {
      RequestProgress progress;
      progress.num_steps = i;
      progress.ledger = Ledger(0);
      progress.ledger.book_until(i, Cause::kDecodeOwn);
      record->publish(progress);
      record->add_sampled(i);
    }
    done = true;
  });
  while (!done) {
    const RequestProgress progress = record->progress();
    ASSERT_EQ(progress.ledger.of(Cause::kDecodeOwn), progress.num_steps);
    const std::vector<int64_t> times = record->sampled_ns();
    for (size_t i = 0; i < times.size(); ++i) ASSERT_EQ(times[i], static_cast<int64_t>(i) + 1);
  }
  writer.join();
}

TEST(RequestJournal, KeepsAllThatLiveAndTheLastThatEnded) {
  RequestJournal journal(2);
  std::vector<std::shared_ptr<RequestRecord>> records;
  for (RequestId id = 1; id <= 6; ++id) {
    records.push_back(record_of(id, id < 3 ? "a" : "b"));
    journal.add(records.back());
    if (id != 2) set_phase(*records.back(), RequestPhase::kFinished);
  }
  journal.add(record_of(7));
  ASSERT_EQ(journal.live().size(), 2U);
  EXPECT_EQ(journal.live().front()->about().id, 2U);
  ASSERT_EQ(journal.finished(10).size(), 2U);
  EXPECT_EQ(journal.finished(10).front()->about().id, 6U);
  EXPECT_EQ(journal.finished(1).size(), 1U);
  EXPECT_EQ(journal.find(4), nullptr);
  EXPECT_EQ(journal.find(5)->about().id, 5U);
  EXPECT_EQ(journal.find(99), nullptr);
  EXPECT_EQ(journal.find_reply("b").size(), 2U);
  EXPECT_TRUE(journal.find_reply("").empty());
}

TEST(StepLog, KeepsTheLastStepsWithWhatWasInThem) {
  StepLog log(3, 4);
  for (int64_t step = 1; step <= 5; ++step) {
    const StepItem item{.request = static_cast<RequestId>(step), .num_tokens = 7};
    log.append({.start_ns = step * 10}, std::vector<StepItem>(2, item));
  }
  const std::vector<StepRecord> steps = log.since(0);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps.front().step, 3);
  EXPECT_EQ(log.oldest_step(), 3);
  EXPECT_EQ(log.last_step(), 5);
  EXPECT_EQ(steps.back().num_requests, 2);
  EXPECT_TRUE(log.items_of(steps.front()).empty());  // their room was needed
  ASSERT_EQ(log.items_of(steps.back()).size(), 2U);
  EXPECT_EQ(log.items_of(steps.back()).front().request, 5U);
  EXPECT_TRUE(log.since(5).empty());
}

}  // namespace
}  // namespace twostroke
