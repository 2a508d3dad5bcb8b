// What a change makes of a request's size: which tokens go with a part, what the cache still has
// then, and what is refused.
#include "phases/what_if_change.h"

#include <gtest/gtest.h>

#include <vector>

namespace twostroke {
namespace {

// template 5, system 100, template 4, message[1] 200, template 4, document[0] "bees" 300, template
// 1, message[2] 20, template 6
std::vector<PromptSpan> spans() {
  std::vector<PromptSpan> out;
  int first = 0;
  const auto add = [&](const char* source, const char* label, int tokens) {
    PromptSpan span;
    span.source = source;
    span.label = label;
    span.first_token = first;
    span.num_tokens = tokens;
    first += tokens;
    out.push_back(span);
  };
  add("template", "", 5);
  add("system", "", 100);
  add("template", "", 4);
  add("message[1]", "", 200);
  add("template", "", 4);
  add("document[0]", "bees", 300);
  add("template", "", 1);
  add("message[2]", "", 20);
  add("template", "", 6);
  return out;
}

constexpr RequestSize kMeasured = {
    .prompt_tokens = 640, .cached_tokens = 320, .output_tokens = 50, .batch = 1};

RequestSize size_of(const WhatIfChange& change) {
  const auto size = changed_size(kMeasured, spans(), change, 32);
  EXPECT_TRUE(size.ok()) << size.error().message;
  return size.ok() ? *size : RequestSize{};
}

WhatIfChange drop(std::vector<std::string> names, CacheChange cache = CacheChange::kSame) {
  WhatIfChange change;
  change.drop = std::move(names);
  change.cache = cache;
  return change;
}

TEST(WhatIfChange, NothingIsTheRequestItself) {
  EXPECT_EQ(size_of({}).prompt_tokens, 640);
  EXPECT_EQ(size_of({}).cached_tokens, 320);
  EXPECT_EQ(size_of({}).output_tokens, 50);
}

TEST(WhatIfChange, APartGoesWithTheTemplatesTextBehindIt) {
  EXPECT_EQ(size_of(drop({"message[1]"})).prompt_tokens, 640 - 204);
  EXPECT_EQ(size_of(drop({"bees"})).prompt_tokens, 640 - 301);
  EXPECT_EQ(size_of(drop({"documents", "history"})).prompt_tokens, 640 - 301 - 204);
  EXPECT_EQ(size_of(drop({"message[2]"})).prompt_tokens, 640 - 20);  // its end asks for the answer
}

TEST(WhatIfChange, TheCacheHasWhatComesBeforeTheFirstChange) {
  EXPECT_EQ(size_of(drop({"system"})).cached_tokens, 0);
  EXPECT_EQ(size_of(drop({"message[1]"})).cached_tokens, 96);  // of 109, in full blocks
  EXPECT_EQ(size_of(drop({"message[2]"})).cached_tokens, 320);
  EXPECT_EQ(size_of(drop({"message[2]"}, CacheChange::kWarm)).cached_tokens, 608);  // of 614
  EXPECT_EQ(size_of(drop({}, CacheChange::kWarm)).cached_tokens, 608);              // of 639
  EXPECT_EQ(size_of(drop({}, CacheChange::kNone)).cached_tokens, 0);
  WhatIfChange change;
  change.prompt_tokens = 100;
  EXPECT_EQ(size_of(change).prompt_tokens, 100);
  EXPECT_EQ(size_of(change).cached_tokens, 96);
}

TEST(WhatIfChange, WhatIsNotThereIsRefusedByName) {
  auto size = changed_size(kMeasured, spans(), drop({"message[7]"}), 32);
  ASSERT_FALSE(size.ok());
  EXPECT_EQ(size.error().field, "drop");
  EXPECT_NE(size.error().message.find("message[7]"), std::string::npos);
  EXPECT_NE(size.error().message.find("document[0]"), std::string::npos);
  WhatIfChange change;
  change.cached_tokens = 640;
  size = changed_size(kMeasured, spans(), change, 32);
  ASSERT_FALSE(size.ok());
  EXPECT_EQ(size.error().field, "cached_tokens");
  const RequestSize one = {.prompt_tokens = 5, .cached_tokens = 0, .output_tokens = 1};
  std::vector<PromptSpan> only = {spans()[1]};
  only[0].first_token = 0;
  only[0].num_tokens = 5;
  EXPECT_FALSE(changed_size(one, only, drop({"system"}), 32).ok());
}

}  // namespace
}  // namespace twostroke
