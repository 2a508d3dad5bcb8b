// Spans of a prompt, on templates small enough to know them by hand: what templates do to texts,
// and how tokens that lie across a border are counted. Real templates:
// tests/prompt/check_anatomy.py.
#include "prompt/text_spans.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

// "source:text|source:text", with the label behind the source where there is one.
std::string spans_of(const std::string& source, const char* request_json,
                     TraceMethod wanted = TraceMethod::kMarked) {
  const auto compiled = ChatTemplate::create(source, "<s>", "</s>");
  EXPECT_TRUE(compiled.ok());
  const Json request = Json::parse(request_json);
  const auto text = compiled->render(request);
  EXPECT_TRUE(text.ok()) << text.error().message;
  TraceMethod how = TraceMethod::kSearched;
  std::string out;
  size_t at = 0;
  for (const TextSpan& span : trace_spans(*compiled, request, *text, {}, &how)) {
    if (!out.empty()) out += '|';
    out += span.source + (span.label.empty() ? "" : "(" + span.label + ")");
    out += ':' + text->substr(at, span.num_bytes);
    at += span.num_bytes;
  }
  EXPECT_EQ(at, text->size());
  EXPECT_EQ(static_cast<int>(how), static_cast<int>(wanted));
  return out;
}

constexpr const char* kPlain =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}";

TEST(TextSpansTest, NamesEveryMessageAndWhatIsBetween) {
  EXPECT_EQ(spans_of(kPlain, R"({"messages": [{"role": "system", "content": "Be brief."},
                                              {"role": "user", "content": "Why?"}]})"),
            "template:<system>|system:Be brief.|template:</><user>|message[1]:Why?|template:</>");
}

TEST(TextSpansTest, ATrimmedTextIsStillItsMessage) {
  EXPECT_EQ(spans_of("{% for m in messages %}[{{ m.content|trim }}]{% endfor %}",
                     R"({"messages": [{"role": "user", "content": "  one two \n"}]})"),
            "template:[|message[0]:one two|template:]");
}

TEST(TextSpansTest, ADefaultSystemPromptIsTheTemplates) {
  const std::string source =
      "{% if messages[0].role != 'system' %}You help.{% endif %}"
      "{% for m in messages %}[{{ m.content }}]{% endfor %}";
  EXPECT_EQ(spans_of(source, R"({"messages": [{"role": "user", "content": "Hi"}]})"),
            "template:You help.[|message[0]:Hi|template:]");
}

TEST(TextSpansTest, ATemplateThatLooksIntoATextIsTracedAllTheSame) {
  const std::string source =
      "{% for m in messages %}{% if 'no think' in m.content %}(short){% endif %}"
      "{{ m.content.split('[sep]')[-1].lstrip() }};{% endfor %}";
  EXPECT_EQ(spans_of(source, R"({"messages": [{"role": "user", "content": "a [sep] bc no think"},
                                              {"role": "user", "content": "d"}]})",
                     TraceMethod::kMarkedExceptWords),
            "template:(short)|message[0]:bc no think|template:;|message[1]:d|template:;");
}

TEST(TextSpansTest, PartsWithALabelAreDocumentsAfterTheDocuments) {
  EXPECT_EQ(
      spans_of("{% for d in documents %}{{ d.text }}.{% endfor %}"
               "{% for m in messages %}[{{ m.content }}]{% endfor %}",
               R"({"documents": [{"title": "Bees", "text": "buzz"}], "messages": [{"role": "user",
                         "content": [{"type": "text", "text": "Read"},
                                     {"type": "text", "text": "hum", "label": "birds"},
                                     {"type": "text", "text": "{}", "label": "json_schema"}]}]})"),
      "document[0](Bees):buzz|template:.[|message[0]:Read|template:\n|document[1](birds):hum|"
      "template:\n|schema(json_schema):{}|template:]");
}

TEST(TextSpansTest, WhatIsWrittenAsJsonBelongsToItsPartWithQuotesAndKeys) {
  EXPECT_EQ(
      spans_of("tools={{ tools|tojson }}{% for m in messages %}{{ m.content|tojson }}{% endfor %}",
               R"({"tools": [{"type": "function", "function": {"name": "f"}}],
                         "messages": [{"role": "user", "content": "say \"x\""}]})"),
      "template:tools=[|tools:{\"type\": \"function\", \"function\": {\"name\": \"f\"}}|"
      "template:]\"|message[0]:say \\\"x|template:\\\"\"");
}

TEST(TextSpansTest, ATextThatIsTurnedAroundIsStillTraced) {
  EXPECT_EQ(spans_of("{{ messages[0].content|length }}{{ messages[0].content|reverse }}:ok",
                     R"({"messages": [{"role": "user", "content": "abc"}]})"),
            "template:3|message[0]:cba|template::ok");
}

TEST(TextSpansTest, ATemplateThatHidesATextHasNoSpanOfIt) {
  EXPECT_EQ(spans_of("{% for m in messages[1:] %}{{ m.content }}{% endfor %}",
                     R"({"messages": [{"role": "user", "content": "first"},
                                      {"role": "user", "content": "second"}]})"),
            "message[1]:second");
}

std::vector<int> counts(const std::vector<size_t>& spans, const std::vector<size_t>& lengths) {
  std::vector<TextSpan> made;
  for (const size_t bytes : spans) {
    made.emplace_back();
    made.back().num_bytes = bytes;
  }
  return count_tokens(made, lengths);
}

TEST(CountTokensTest, ATokenAcrossABorderGoesWhereMostOfItIs) {
  EXPECT_EQ(counts({3, 5}, {2, 4, 2}), (std::vector<int>{1, 2}));
  EXPECT_EQ(counts({3, 5}, {2, 2, 4}), (std::vector<int>{2, 1}));  // a tie: the earlier one
  EXPECT_EQ(counts({1, 1, 1}, {3}), (std::vector<int>{1, 0, 0}));
  EXPECT_EQ(counts({1, 5, 1}, {7}), (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(counts({2, 2}, {0, 2, 0, 2, 0}), (std::vector<int>{2, 3}));  // added by the tokenizer
  EXPECT_EQ(counts({}, {}), (std::vector<int>{}));
}

TEST(CountTokensTest, SumsAreExactOnRandomTilings) {
  std::mt19937 random(3);
  const auto up_to = [&](size_t max) {
    return std::uniform_int_distribution<size_t>(0, max)(random);
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<size_t> spans;
    size_t bytes = 0;
    for (size_t i = 1 + up_to(8); i > 0; --i) bytes += spans.emplace_back(up_to(12));
    std::vector<size_t> lengths;
    for (size_t at = 0; at < bytes;) {
      at += lengths.emplace_back(std::min(bytes - at, up_to(5)));
    }
    int sum = 0;
    for (const int count : counts(spans, lengths)) {
      EXPECT_GE(count, 0);
      sum += count;
    }
    EXPECT_EQ(sum, static_cast<int>(lengths.size()));
  }
}

std::vector<size_t> aligned(std::string_view text, const std::vector<std::string>& spellings) {
  return align_tokens(text, spellings);
}

TEST(AlignTokensTest, FollowsTheTextThroughSpacesThatTokenizersAddAndSwallow) {
  EXPECT_EQ(aligned("Hi you", {" Hi", " you"}), (std::vector<size_t>{2, 4}));
  EXPECT_EQ(aligned("a <x> b", {"a", "<x>", "b"}), (std::vector<size_t>{1, 4, 2}));
  EXPECT_EQ(aligned("ab", {"<s>", "ab"}), (std::vector<size_t>{0, 2}));
  EXPECT_EQ(aligned("ab ", {"ab"}), (std::vector<size_t>{3}));
  EXPECT_EQ(aligned("", {"<s>"}), (std::vector<size_t>{0}));
  EXPECT_EQ(aligned("", {}), (std::vector<size_t>{}));
}

}  // namespace
}  // namespace twostroke
