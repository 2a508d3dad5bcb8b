// Goal: what is stored is found until it is removed or pushed out; never more than the limits.
#include "server/response_store.h"

#include <gtest/gtest.h>

namespace twostroke {
namespace {

ResponseStore::Entry entry_of(const std::string& text) {
  return {text, nlohmann::ordered_json::array()};
}

TEST(ResponseStore, FindsReplacesAndRemoves) {
  ResponseStore store({.max_entries = 4, .max_bytes = 1000});
  EXPECT_FALSE(store.find("a").has_value());
  store.put("a", entry_of("one"));
  store.put("a", entry_of("two"));
  EXPECT_EQ(store.find("a")->response, "two");
  EXPECT_TRUE(store.erase("a"));
  EXPECT_FALSE(store.erase("a"));
  EXPECT_EQ(store.bytes(), 0U);
}

TEST(ResponseStore, WhatWasUsedLongestAgoGoesFirst) {
  ResponseStore store({.max_entries = 2, .max_bytes = 1000});
  store.put("a", entry_of("1"));
  store.put("b", entry_of("2"));
  EXPECT_TRUE(store.find("a").has_value());
  store.put("c", entry_of("3"));
  EXPECT_TRUE(store.find("a").has_value());
  EXPECT_FALSE(store.find("b").has_value());
}

TEST(ResponseStore, NeverHoldsMoreBytesThanItMay) {
  ResponseStore store({.max_entries = 100, .max_bytes = 100});
  store.put("big", entry_of(std::string(101, 'x')));
  EXPECT_EQ(store.bytes(), 0U);
  for (int i = 0; i < 20; ++i) {
    store.put(std::to_string(i), entry_of(std::string(30, 'x')));
    EXPECT_LE(store.bytes(), 100U);
  }
  EXPECT_TRUE(store.find("19").has_value());
}

}  // namespace
}  // namespace twostroke
