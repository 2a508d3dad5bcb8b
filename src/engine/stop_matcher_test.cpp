// StopMatcher: against the plain definition, one byte at a time: the text ends before the stop
// string that is complete first. Random texts over few letters, so that near misses and overlaps
// are common, cut in random places.
#include "engine/stop_matcher.h"

#include <gtest/gtest.h>

#include <random>

namespace twostroke {
namespace {

struct Outcome {
  std::string text;
  std::string stop;  // empty: none
  bool operator==(const Outcome&) const = default;
};

Outcome by_definition(const std::string& text, const std::vector<std::string>& stops) {
  for (size_t end = 1; end <= text.size(); ++end) {
    const std::string_view seen(text.data(), end);
    const std::string* longest = nullptr;
    for (const std::string& stop : stops) {
      if (seen.ends_with(stop) && (longest == nullptr || stop.size() > longest->size())) {
        longest = &stop;
      }
    }
    if (longest != nullptr) return {text.substr(0, end - longest->size()), *longest};
  }
  return {text, ""};
}

Outcome by_matcher(const std::string& text, const std::vector<std::string>& stops,
                   std::mt19937& random) {
  StopMatcher matcher(stops);
  Outcome outcome;
  for (size_t at = 0; at < text.size();) {
    const size_t size = std::min<size_t>(1 + random() % 5, text.size() - at);
    if (const std::string* stop = matcher.append(text.substr(at, size), outcome.text)) {
      outcome.stop = *stop;
      return outcome;
    }
    at += size;
  }
  matcher.finish(outcome.text);
  return outcome;
}

TEST(StopMatcher, AgreesWithTheDefinitionHoweverTheTextIsCut) {
  std::mt19937 random(5);
  const std::vector<std::string> letters = {"a", "b", "\xC3\xA9"};
  const auto random_text = [&](size_t longest) {
    std::string text;
    for (size_t i = 0; i < 1 + random() % longest; ++i) text += letters[random() % 3];
    return text;
  };
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::string> stops(1 + random() % 3);
    for (std::string& stop : stops) stop = random_text(5);
    const std::string text = random_text(24);
    ASSERT_EQ(by_matcher(text, stops, random), by_definition(text, stops)) << text;
  }
}

TEST(StopMatcher, HoldsBackOnlyWhatMayBecomeAStop) {
  StopMatcher matcher({"\n\nUser:"});
  std::string text;
  EXPECT_EQ(matcher.append("Hello.\n\nUs", text), nullptr);
  EXPECT_EQ(text, "Hello.");
  EXPECT_EQ(matcher.append("eful", text), nullptr);
  EXPECT_EQ(text, "Hello.\n\nUseful");
}

TEST(StopMatcher, WithoutStopsLetsEverythingThrough) {
  StopMatcher matcher({});
  std::string text;
  EXPECT_EQ(matcher.append("anything", text), nullptr);
  EXPECT_EQ(text, "anything");
}

}  // namespace
}  // namespace twostroke
