// TokenStream: what is pushed arrives once and in order, and wake-ups come.
#include "engine/token_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace twostroke {
namespace {

TokenEvent event_of(TokenId token) {
  TokenEvent event;
  event.token = token;
  return event;
}

TEST(TokenStream, DeliversEventsOnceAndInOrder) {
  TokenStream stream;
  stream.push(event_of(1));
  stream.push(event_of(2));
  const std::vector<TokenEvent> events = stream.take();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].token, 1);
  EXPECT_EQ(events[1].token, 2);
  EXPECT_TRUE(stream.take().empty());
}

TEST(TokenStream, KeepsTheNewestProgressOnly) {
  TokenStream stream;
  EXPECT_FALSE(stream.take_progress().has_value());
  stream.push_progress({.total = 10, .processed = 4});
  stream.push_progress({.total = 10, .processed = 8});
  EXPECT_EQ(stream.take_progress()->processed, 8);
  EXPECT_FALSE(stream.take_progress().has_value());
}

TEST(TokenStream, NotifiesAfterEveryPushAndTheEnd) {
  TokenStream stream;
  int num_wakes = 0;
  stream.set_notify([&] { ++num_wakes; });
  stream.push(event_of(1));
  stream.push_progress({});
  auto summary = std::make_unique<RequestSummary>();  // on the stack g++ 12 sees ghosts
  summary->id = 7;
  stream.finish(std::move(*summary));
  EXPECT_EQ(num_wakes, 3);
  EXPECT_TRUE(stream.finished());
  EXPECT_EQ(stream.summary().id, 7U);
}

TEST(TokenStream, WaitSeesEveryEventOfAnotherThread) {
  TokenStream stream;
  std::thread producer([&] {
    for (TokenId token = 0; token < 1000; ++token) stream.push(event_of(token));
    stream.finish({});
  });
  std::vector<TokenId> tokens;
  bool finished = false;
  while (!finished) {
    stream.wait();
    finished = stream.finished();
    for (const TokenEvent& event : stream.take()) tokens.push_back(event.token);
  }
  producer.join();
  ASSERT_EQ(tokens.size(), 1000U);
  for (TokenId token = 0; token < 1000; ++token)
    EXPECT_EQ(tokens[static_cast<size_t>(token)], token);
}

TEST(TokenStreamDeathTest, NothingComesAfterTheEnd) {
  TokenStream stream;
  EXPECT_DEATH((void)stream.summary(), "CHECK failed");
  stream.finish({});
  EXPECT_DEATH(stream.push(event_of(1)), "CHECK failed");
}

}  // namespace
}  // namespace twostroke
