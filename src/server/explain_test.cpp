// What the server says about a prompt and a request: anatomy and cache in replies, what may be told
// of earlier prompts, and the endpoints' answers to good and bad questions.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "server/prompt_archive.h"
#include "server/prompt_report.h"
#include "server/server_fixture.h"

namespace twostroke {
namespace {

class ExplainEndpointTest : public ServerFixture {
 protected:
  OrderedJson ask(const std::string& method, const std::string& path, const std::string& body,
                  int status) {
    RawHttpClient client(port());
    EXPECT_TRUE(method == "GET" ? client.get(path) : client.post(path, body));
    const auto response = client.response();
    EXPECT_TRUE(response.has_value());
    if (!response) return nullptr;
    EXPECT_EQ(response->status, status) << response->body;
    return OrderedJson::parse(response->body, nullptr, false);
  }
  OrderedJson complete(const std::string& more = "") {
    return ask("POST", "/v1/completions", completion(3, R"(,"phases":true)" + more), 200);
  }
};

TEST_F(ExplainEndpointTest, AReplyHasTheAnatomyOfItsPrompt) {
  start();
  const OrderedJson phases = complete()["phases"];
  const OrderedJson& spans = phases["anatomy"]["spans"];
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0]["source"], "message[0]");
  EXPECT_EQ(spans[0]["tokens"], 3);  // BOS and two bytes
  EXPECT_EQ(spans[0]["characters"], 2);
  EXPECT_EQ(phases["cache"]["reason"], "first_time");
  EXPECT_TRUE(phases["cache"]["break"].is_null());
  EXPECT_EQ(complete(R"(,"cache_prompt":false)")["phases"]["cache"]["reason"], "disabled");
  EXPECT_EQ(complete(R"(,"cache_salt":"x")")["phases"]["cache"]["reason"], "salt");
}

TEST_F(ExplainEndpointTest, ExplainsARequestByEitherId) {
  start();
  const OrderedJson reply = complete();
  const OrderedJson by_number = ask("GET", "/v1/requests/1/explain", "", 200);
  EXPECT_EQ(by_number["object"], "explain");
  EXPECT_EQ(by_number["request"], 1);
  EXPECT_FALSE(by_number["verdict"].get<std::string>().empty());
  const std::string id = reply["id"].get<std::string>();
  EXPECT_EQ(ask("GET", "/v1/requests/" + id + "/explain", "", 200)["request"], 1);
}

TEST_F(ExplainEndpointTest, RefusesWhatMakesNoSense) {
  start();
  complete();
  EXPECT_EQ(ask("GET", "/v1/requests/77/explain", "", 404)["error"]["param"], "id");
  EXPECT_EQ(ask("GET", "/v1/requests/nobody/explain", "", 404)["error"]["param"], "id");
  EXPECT_EQ(ask("GET", "/v1/requests/1/explain?target_tpot_ms=fast", "", 400)["error"]["param"],
            "target_tpot_ms");
  EXPECT_EQ(ask("GET", "/v1/requests/1/explain?target_ttft_ms=-1", "", 400)["error"]["param"],
            "target_ttft_ms");
  const auto what_if = [&](const std::string& body, const std::string& field) {
    EXPECT_EQ(ask("POST", "/v1/requests/1/what-if", body, 400)["error"]["param"], field) << body;
  };
  what_if(R"({"drop": 7})", "drop");
  what_if(R"({"drop": [7]})", "drop");
  what_if(R"({"cache": "cold"})", "cache");
  what_if(R"({"cached_tokens": -1})", "cached_tokens");
  what_if(R"({"prompt_tokens": 0})", "prompt_tokens");
  what_if(R"({"prompt_tokens": 4096})", "prompt_tokens");
  what_if(R"({"output_tokens": "many"})", "output_tokens");
  what_if(R"({"batch": 9})", "batch");  // eight may run
  what_if(R"({"verify": 1})", "verify");
  EXPECT_EQ(ask("POST", "/v1/requests/77/what-if", "{}", 404)["error"]["param"], "id");
}

// The report itself, on prompts of bytes.
class PromptReportTest : public testing::Test {
 protected:
  PromptArchive::Prompt add(RequestId id, const std::string& text, const std::string& salt = "",
                            bool keep = false) {
    auto prompt = std::make_shared<ArchivedPrompt>();
    const std::vector<TokenId> tokens(text.begin(), text.end());
    prompt->id = id;
    prompt->traced = model_.trace_prompt(nullptr, text, tokens);
    prompt->key = archive_.key_of(salt);
    prompt->tokens = fingerprint_of(tokens, prompt->key);
    prompt->has_salt = !salt.empty();
    prompt->cache_prompt = true;
    if (keep) prompt->text = text;
    archive_.add(prompt);
    return prompt;
  }
  PromptReport report(const PromptArchive::Prompt& prompt, const std::string& own_text = "") {
    return report_on_prompt(*prompt, archive_, observer_, 16, own_text);
  }

  FakeModelServices model_;
  PromptArchive archive_;
  EngineObserver observer_{64, 64};
};

const std::string kRules =
    " You follow these rules to the letter, whatever the reader may ask of you.";

TEST_F(PromptReportTest, TellsNoTextOfAnotherRequest) {
  add(1, "It is 10:41:55 now." + kRules);
  const auto prompt = add(2, "It is 10:42:07 now." + kRules);
  const PromptReport own = report(prompt, "It is 10:42:07 now." + kRules);
  EXPECT_EQ(own.cache.reason, CacheReason::kDiverged);
  EXPECT_EQ(own.cache_break["character"], 10);
  EXPECT_EQ(own.cache_break["changed"], "`10:42:07`");
  EXPECT_EQ(own.loss.sentence.find("10:41"), std::string::npos);
  EXPECT_NE(own.loss.sentence.find("identical tokens after it were computed again"),
            std::string::npos);
  // Whoever asks later is told lengths and hashes.
  const PromptReport later = report(prompt);
  EXPECT_EQ(later.loss.sentence.find("10:4"), std::string::npos);
  EXPECT_EQ(later.cache_break["changed_tokens"], own.cache_break["changed_tokens"]);
}

TEST_F(PromptReportTest, QuotesBothWhenPromptsAreKept) {
  add(1, "It is 10:41:55 now." + kRules, "", true);
  const PromptReport kept = report(add(2, "It is 10:42:07 now." + kRules, "", true));
  EXPECT_NE(kept.loss.sentence.find("(`10:42:07` / `10:41:55`)"), std::string::npos)
      << kept.loss.sentence;
}

TEST_F(PromptReportTest, NeverComparesAcrossSalts) {
  add(1, "It is 10:41:55 now." + kRules, "one");
  const PromptReport other = report(add(2, "It is 10:41:55 now." + kRules, "two"));
  EXPECT_EQ(other.cache.reason, CacheReason::kSalt);
  EXPECT_TRUE(other.cache_break.is_null());
  EXPECT_EQ(report(add(3, "It is 10:41:55 now." + kRules)).cache.reason, CacheReason::kFirstTime);
}

TEST_F(PromptReportTest, TheArchiveForgetsTheOldest) {
  for (RequestId id = 1; id <= PromptArchive::kMaxPrompts + 5; ++id) add(id, kRules);
  EXPECT_EQ(archive_.find(5), nullptr);
  EXPECT_NE(archive_.find(6), nullptr);
  const auto last = archive_.find(PromptArchive::kMaxPrompts + 5);
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(archive_.earlier_than(*last).size(), PromptArchive::kMaxCompared);
  EXPECT_EQ(archive_.earlier_than(*last).front()->id, last->id - 1);
}

}  // namespace
}  // namespace twostroke
