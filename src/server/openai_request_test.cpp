#include "server/openai_request.h"

#include <gtest/gtest.h>

#include "server/json_text.h"

namespace twostroke {
namespace {

constexpr int kVocabSize = 100;

Result<GenerationRequest> parse(const std::string& text, bool chat) {
  const ServerOptions options;
  const OrderedJson body = OrderedJson::parse(text);
  return chat ? parse_chat_request(body, options, kVocabSize)
              : parse_completion_request(body, options, kVocabSize);
}

// A chat request with one message and these further fields.
std::string chat_with(const std::string& fields) {
  return R"({"messages":[{"role":"user","content":"hi"}])" + (fields.empty() ? "" : "," + fields) +
         "}";
}

struct InvalidCase {
  bool chat;
  std::string body;
  std::string field;       // of the error
  std::string in_message;  // part of it
};

void PrintTo(const InvalidCase& it, std::ostream* out) {
  *out << it.body;
}

class InvalidRequest : public testing::TestWithParam<InvalidCase> {};

TEST_P(InvalidRequest, NamesTheField) {
  const auto request = parse(GetParam().body, GetParam().chat);
  ASSERT_FALSE(request.ok());
  EXPECT_EQ(request.error().field, GetParam().field);
  EXPECT_NE(request.error().message.find(GetParam().in_message), std::string::npos)
      << request.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Chat, InvalidRequest,
    testing::Values(
        InvalidCase{true, "[]", "the body", "must be an object"},  //
        InvalidCase{true, "{}", "messages", "missing"},
        InvalidCase{true, R"({"messages":[]})", "messages", "empty"},
        InvalidCase{true, R"({"messages":"hi"})", "messages", "must be an array, not a string"},
        InvalidCase{true, R"({"messages":["hi"]})", "messages[0]", "must be an object"},
        InvalidCase{true, R"({"messages":[{"content":"hi"}]})", "messages[0].role", "no role"},
        InvalidCase{true, R"({"messages":[{"role":1,"content":"hi"}]})", "messages[0].role",
                    "a string"},
        InvalidCase{true, R"({"messages":[{"role":"user"}]})", "messages[0].content", "missing"},
        InvalidCase{true, R"({"messages":[{"role":"user","content":5}]})", "messages[0].content",
                    "not a number"},
        InvalidCase{true, R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})",
                    "messages[0].content[0].text", "no text"},
        InvalidCase{true, R"({"messages":[{"role":"user","content":[{"text":"x"}]}]})",
                    "messages[0].content[0].type", "no type"},
        InvalidCase{
            true,
            R"({"messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url"}]}]})",
            "messages[0].content[1]", "reads text only"},
        InvalidCase{true, chat_with(R"("tools":{})"), "tools", "an array"},
        InvalidCase{true, chat_with(R"("tools":[1])"), "tools[0]", "an object"},
        InvalidCase{true, chat_with(R"("tool_choice":"required")"), "tool_choice",
                    "there are no tools"},
        InvalidCase{true, chat_with(R"("tool_choice":3)"), "tool_choice", "a string or an object"},
        InvalidCase{true, chat_with(R"("tools":[{"type":"web_search"}])"), "tools[0].type",
                    "\"function\""},
        InvalidCase{true, chat_with(R"("tools":[{"type":"function"}])"), "tools[0].function",
                    "missing"},
        InvalidCase{true, chat_with(R"("tools":[{"function":{"name":"a b"}}])"),
                    "tools[0].function.name", "letters"},
        InvalidCase{true, chat_with(R"("tools":[{"function":{"name":"f","parameters":"x"}}])"),
                    "tools[0].function.parameters", "an object"},
        InvalidCase{true,
                    chat_with(R"("tools":[{"function":{"name":"f"}},{"function":{"name":"f"}}])"),
                    "tools[1].function.name", "two tools"},
        InvalidCase{true,
                    chat_with(R"("tools":[{"function":{"name":"f"}}],)"
                              R"("tool_choice":{"type":"function","function":{"name":"g"}})"),
                    "tool_choice", "not in tools"},
        InvalidCase{true, chat_with(R"("tool_choice":{"type":"custom"})"), "tool_choice.type",
                    "\"function\""},
        InvalidCase{true, chat_with(R"("parallel_tool_calls":"no")"), "parallel_tool_calls",
                    "a boolean"},
        InvalidCase{true, chat_with(R"("reasoning_format":"loud")"), "reasoning_format", "must be"},
        InvalidCase{true, chat_with(R"("tool_choice":"maybe")"), "tool_choice", "must be"},
        InvalidCase{true, chat_with(R"("chat_template_kwargs":[])"), "chat_template_kwargs",
                    "an object"},
        InvalidCase{true,
                    chat_with(R"("continue_final_message":true,"add_generation_prompt":true)"),
                    "continue_final_message", "both"},
        InvalidCase{true, chat_with(R"("logprobs":3)"), "logprobs", "a boolean"},
        InvalidCase{true, chat_with(R"("top_logprobs":3)"), "top_logprobs", "needs logprobs"},
        InvalidCase{true, chat_with(R"("logprobs":true,"top_logprobs":21)"), "top_logprobs",
                    "between 0 and 20"},
        InvalidCase{true, chat_with(R"("tool_choice":7)"), "tool_choice", "a string or an"}));

INSTANTIATE_TEST_SUITE_P(
    Structured, InvalidRequest,
    testing::Values(
        InvalidCase{true, chat_with(R"("response_format":"json")"), "response_format",
                    "an object, not a string"},
        InvalidCase{true, chat_with(R"("response_format":{})"), "response_format", "type must be"},
        InvalidCase{true, chat_with(R"("response_format":{"type":7})"), "response_format",
                    "type must be"},
        InvalidCase{true, chat_with(R"("response_format":{"type":"xml"})"), "response_format",
                    "\"xml\""},
        InvalidCase{true, chat_with(R"("response_format":{"type":"json_schema"})"),
                    "response_format.schema", "missing"},
        InvalidCase{true, chat_with(R"("response_format":{"type":"json_schema","json_schema":[]})"),
                    "response_format.json_schema", "an object"},
        InvalidCase{true, chat_with(R"("response_format":{"type":"json_schema","json_schema":{}})"),
                    "response_format.json_schema.schema", "missing"},
        InvalidCase{
            true,
            chat_with(
                R"("response_format":{"type":"json_schema","json_schema":{"schema":7,"strict":true}})"),
            "response_format.json_schema.schema", "a JSON schema"},
        InvalidCase{
            true,
            chat_with(
                R"("response_format":{"type":"json_schema","json_schema":{"schema":{},"strict":1}})"),
            "response_format.json_schema.strict", "a boolean"},
        InvalidCase{true, chat_with(R"("structured_outputs":"x")"), "structured_outputs",
                    "an object"},
        InvalidCase{true, chat_with(R"("structured_outputs":{"regex":7})"),
                    "structured_outputs.regex", "a string"},
        InvalidCase{true, chat_with(R"("structured_outputs":{"regex":""})"),
                    "structured_outputs.regex", "empty"},
        InvalidCase{true, chat_with(R"("structured_outputs":{"choice":[]})"),
                    "structured_outputs.choice", "1 to 4096"},
        InvalidCase{true, chat_with(R"("structured_outputs":{"choice":["a",7]})"),
                    "structured_outputs.choice[1]", "a string"},
        InvalidCase{true, chat_with(R"("structured_outputs":{"structural_tag":"x"})"),
                    "structured_outputs.structural_tag", "takes json"},
        InvalidCase{true, chat_with(R"("structured_outputs":{"json":{},"regex":"a"})"),
                    "structured_outputs.regex", "both constrain"},
        InvalidCase{
            true,
            chat_with(R"("response_format":{"type":"json_object"},"grammar":"root ::= \"a\"")"),
            "grammar", "response_format and grammar both"},
        InvalidCase{true, chat_with(R"("json_schema":[])"), "json_schema", "a JSON schema"},
        InvalidCase{true, chat_with(R"("grammar":7)"), "grammar", "a string"},
        InvalidCase{true, chat_with(R"("grammar_lazy":true)"), "grammar_lazy", "first token"},
        InvalidCase{true, chat_with(R"("guided_choice":"a")"), "guided_choice", "an array"}));

INSTANTIATE_TEST_SUITE_P(
    Common, InvalidRequest,
    testing::Values(
        InvalidCase{true, chat_with(R"("temperature":"hot")"), "temperature",
                    "must be a number, not a string"},
        InvalidCase{true, chat_with(R"("temperature":-0.1)"), "temperature", "between 0 and 100"},
        InvalidCase{true, chat_with(R"("top_p":1.5)"), "top_p", "between 0 and 1"},
        InvalidCase{true, chat_with(R"("min_p":-1)"), "min_p", "between 0 and 1"},
        InvalidCase{true, chat_with(R"("top_k":1.5)"), "top_k", "an integer"},
        InvalidCase{true, chat_with(R"("top_k":-2)"), "top_k", "between -1"},
        InvalidCase{true, chat_with(R"("repetition_penalty":0)"), "repetition_penalty", "between"},
        InvalidCase{true, chat_with(R"("presence_penalty":2.5)"), "presence_penalty",
                    "between -2 and 2"},
        InvalidCase{true, chat_with(R"("frequency_penalty":[])"), "frequency_penalty", "a number"},
        InvalidCase{true, chat_with(R"("max_tokens":0)"), "max_tokens", "at least 1"},
        InvalidCase{true, chat_with(R"("max_tokens":"5")"), "max_tokens",
                    "an integer, not a string"},
        InvalidCase{true, chat_with(R"("max_completion_tokens":-5)"), "max_completion_tokens",
                    "between"},
        InvalidCase{true, chat_with(R"("max_tokens":99999999999999999999)"), "max_tokens",
                    "between"},
        InvalidCase{true, chat_with(R"("min_tokens":-1)"), "min_tokens", "between"},
        InvalidCase{true, chat_with(R"("n":0)"), "n", "between 1 and 16"},
        InvalidCase{true, chat_with(R"("n":17)"), "n", "between 1 and 16"},
        InvalidCase{true, chat_with(R"("seed":"x")"), "seed", "an integer"},
        InvalidCase{true, chat_with(R"("stop":5)"), "stop", "a string or an array"},
        InvalidCase{true, chat_with(R"("stop":["a",5])"), "stop[1]", "a string"},
        InvalidCase{true, chat_with(R"("stop":[""])"), "stop", "empty"},
        InvalidCase{
            true,
            chat_with(
                R"("stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"])"),
            "stop", "the limit is 16"},
        InvalidCase{true, chat_with(R"("stop":")" + std::string(1025, 'x') + "\""), "stop",
                    "the limit is 1024"},
        InvalidCase{true, chat_with(R"("stop_token_ids":[100])"), "stop_token_ids", "0 to 99"},
        InvalidCase{true, chat_with(R"("stop_token_ids":[-1])"), "stop_token_ids", "0 to 99"},
        InvalidCase{true, chat_with(R"("stop_token_ids":["a"])"), "stop_token_ids[0]",
                    "a token id"},
        InvalidCase{true, chat_with(R"("logit_bias":[])"), "logit_bias", "an object"},
        InvalidCase{true, chat_with(R"("logit_bias":{"x":1})"), "logit_bias", "not a token id"},
        InvalidCase{true, chat_with(R"("logit_bias":{"100":1})"), "logit_bias", "below 100"},
        InvalidCase{true, chat_with(R"("logit_bias":{"5":101})"), "logit_bias",
                    "between -100 and 100"},
        InvalidCase{true, chat_with(R"("logit_bias":{"5":"a"})"), "logit_bias.5", "a number"},
        InvalidCase{true, chat_with(R"("stream":1)"), "stream", "a boolean"},
        InvalidCase{true, chat_with(R"("stream_options":true)"), "stream_options", "an object"},
        InvalidCase{true, chat_with(R"("stream_options":{"include_usage":1})"),
                    "stream_options.include_usage", "a boolean"},
        InvalidCase{true, chat_with(R"("ignore_eos":"yes")"), "ignore_eos", "a boolean"},
        InvalidCase{true, chat_with(R"("model":7)"), "model", "a string"},
        InvalidCase{true, chat_with(R"("user":7)"), "user", "a string"},
        InvalidCase{true, chat_with(R"("cache_salt":")" + std::string(257, 'x') + "\""),
                    "cache_salt", "256"}));

INSTANTIATE_TEST_SUITE_P(
    Completion, InvalidRequest,
    testing::Values(
        InvalidCase{false, "{}", "prompt", "missing"},  //
        InvalidCase{false, R"({"prompt":null})", "prompt", "missing"},
        InvalidCase{false, R"({"prompt":7})", "prompt", "a string, an array"},
        InvalidCase{false, R"({"prompt":[]})", "prompt", "empty"},
        InvalidCase{false, R"({"prompt":[1,"a"]})", "prompt[1]", "a token id"},
        InvalidCase{false, R"({"prompt":[1,100]})", "prompt", "0 to 99"},
        InvalidCase{false, R"({"prompt":[1.5]})", "prompt[0]", "a token id"},
        InvalidCase{false, R"({"prompt":["a",true]})", "prompt[1]", "not a boolean"},
        InvalidCase{false, R"({"prompt":[[1],[200]]})", "prompt[1]", "0 to 99"},
        InvalidCase{false, R"({"prompt":"a","suffix":"b"})", "suffix", "not supported"},
        InvalidCase{false, R"({"prompt":"a","best_of":2})", "best_of", "not supported"},
        InvalidCase{false, R"({"prompt":"a","echo":true,"logprobs":1})", "echo", "not supported"},
        InvalidCase{false, R"({"prompt":"a","logprobs":true})", "logprobs", "an integer"},
        InvalidCase{false, R"({"prompt":["a","b","c","d","e"],"n":16})", "n", "the limit is 64"}));

TEST(OpenaiRequest, DefaultsOfAChat) {
  const auto request = parse(chat_with(""), true);
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_TRUE(request->is_chat);
  EXPECT_FALSE(request->stream);
  EXPECT_EQ(request->num_choices, 1);
  EXPECT_FALSE(request->max_tokens.has_value()) << "the room left in the context";
  EXPECT_FALSE(request->seed.has_value());
  EXPECT_TRUE(request->cache_prompt);
  EXPECT_EQ(request->sampling.temperature, 1.0F);
  EXPECT_EQ(request->sampling.num_logprobs, -1);
  EXPECT_EQ(request->chat["add_generation_prompt"], true);
  EXPECT_EQ(request->chat["continue_final_message"], false);
}

TEST(OpenaiRequest, EveryField) {
  const auto request = parse(
      chat_with(
          R"("model":"any","temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.05,"repetition_penalty":1.1,
        "repeat_last_n":-1,"presence_penalty":-2,"frequency_penalty":2,"max_tokens":7,"min_tokens":3,"n":2,"seed":-1,
        "stop":["a","b"],"stop_token_ids":[1,2],"ignore_eos":true,"logit_bias":{"5":-100,"6":1.5},"logprobs":true,
        "top_logprobs":5,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},
        "cache_salt":"s","user":"u","cache_prompt":false,"return_progress":true,"timings_per_token":true,
        "phases":true,"something_new":{"x":1})"),
      true);
  ASSERT_TRUE(request.ok()) << request.error().message;
  const SamplingParams& sampling = request->sampling;
  EXPECT_EQ(sampling.temperature, 0.5F);
  EXPECT_EQ(sampling.top_p, 0.9F);
  EXPECT_EQ(sampling.top_k, 40);
  EXPECT_EQ(sampling.min_p, 0.05F);
  EXPECT_EQ(sampling.repetition_penalty, 1.1F);
  EXPECT_EQ(sampling.repeat_last_n, -1);
  EXPECT_EQ(sampling.presence_penalty, -2.0F);
  EXPECT_EQ(sampling.frequency_penalty, 2.0F);
  EXPECT_EQ(sampling.min_tokens, 3);
  EXPECT_EQ(sampling.num_logprobs, 5);
  EXPECT_EQ(sampling.logit_bias, (std::vector<std::pair<TokenId, float>>{{5, -100.0F}, {6, 1.5F}}));
  EXPECT_EQ(request->max_tokens, 7);
  EXPECT_EQ(request->num_choices, 2);
  EXPECT_EQ(request->seed, ~uint64_t{0});
  EXPECT_EQ(request->stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request->stop_token_ids, (std::vector<TokenId>{1, 2}));
  EXPECT_EQ(request->cache_salt, "s");
  EXPECT_FALSE(request->cache_prompt);
  for (const bool flag :
       {request->ignore_eos, request->stream, request->include_usage, request->continuous_usage,
        request->return_progress, request->timings_per_token, request->phases}) {
    EXPECT_TRUE(flag);
  }
}

TEST(OpenaiRequest, EveryNotationOfAConstraint) {
  using Kind = GrammarSpec::Kind;
  struct Case {
    std::string fields;
    Kind kind;
    std::string text, field;
  };
  const std::string object = R"({"type":"object"})";
  for (
      const Case& it : std::vector<Case>{
          {R"("response_format":{"type":"json_object"})", Kind::kJsonSchema, object,
           "response_format"},
          {R"("response_format":{"type":"json_object","schema":{"z":1,"a":2}})", Kind::kJsonSchema,
           R"({"z":1,"a":2})", "response_format.schema"},
          {R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"b":1,"a":2}}})",
           Kind::kJsonSchema, R"({"b":1,"a":2})", "response_format.json_schema.schema"},
          {R"("response_format":{"type":"json_schema","schema":{}})", Kind::kJsonSchema, "{}",
           "response_format.schema"},
          {R"("response_format":{"type":"text"},"json_schema":{})", Kind::kJsonSchema, "{}",
           "json_schema"},
          {R"("structured_outputs":{"json":"{\"a\":1}","regex":null})", Kind::kJsonSchema,
           R"({"a":1})", "structured_outputs.json"},
          {R"("structured_outputs":{"json_object":true})", Kind::kJsonSchema, object,
           "structured_outputs.json_object"},
          {R"("structured_outputs":{"regex":"^a+$"})", Kind::kRegex, "a+",
           "structured_outputs.regex"},
          {R"("structured_outputs":{"regex":"a\\$"})", Kind::kRegex, "a\\$",
           "structured_outputs.regex"},
          {R"("structured_outputs":{"choice":["a.b","c d"]})", Kind::kRegex, "a\\.b|c\\ d",
           "structured_outputs.choice"},
          {R"("structured_outputs":{"grammar":"start: /a/"})", Kind::kLark, "start: /a/",
           "structured_outputs.grammar"},
          {R"("grammar":"root ::= \"a\"")", Kind::kGbnf, "root ::= \"a\"", "grammar"},
          {R"("guided_regex":"a")", Kind::kRegex, "a", "guided_regex"},
          {R"("ebnf":"root ::= [a]")", Kind::kGbnf, "root ::= [a]", "ebnf"}}) {
    const auto request = parse(chat_with(it.fields), true);
    ASSERT_TRUE(request.ok()) << it.fields << request.error().message;
    ASSERT_TRUE(request->grammar.has_value()) << it.fields;
    EXPECT_EQ(request->grammar->kind, it.kind) << it.fields;
    EXPECT_EQ(request->grammar->text, it.text);
    EXPECT_EQ(request->grammar->field, it.field);
  }
  EXPECT_FALSE(parse(chat_with(R"("response_format":{"type":"text"},"grammar":"")"), true)
                   ->grammar.has_value());
}

TEST(OpenaiRequest, NullMeansAbsent) {
  const auto request = parse(
      chat_with(
          R"("temperature":null,"max_tokens":null,"stop":null,"n":null,"stream":null,"stream_options":null,
        "logprobs":null,"top_logprobs":null,"seed":null,"logit_bias":null,"tools":null,"tool_choice":null,
        "response_format":null,"user":null)"),
      true);
  ASSERT_TRUE(request.ok()) << request.error().message;
}

TEST(OpenaiRequest, TheNewerNameOfMaxTokensWins) {
  EXPECT_EQ(parse(chat_with(R"("max_tokens":7,"max_completion_tokens":9)"), true)->max_tokens, 9);
  EXPECT_EQ(parse(chat_with(R"("max_tokens":-1)"), true)->max_tokens, std::nullopt);
  EXPECT_EQ(parse(chat_with(R"("max_tokens":8.0)"), true)->max_tokens, 8);
}

TEST(OpenaiRequest, ZeroTopPKeepsOnlyTheBestToken) {
  const float top_p = parse(chat_with(R"("top_p":0)"), true)->sampling.top_p;
  EXPECT_GT(top_p, 0.0F);
  EXPECT_LT(top_p, 1e-30F);
}

TEST(OpenaiRequest, TheTemplateSeesOnlyItsOwnFields) {
  const auto request = parse(
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"hi"}],"name":"n"},
                      {"role":"assistant","tool_calls":[{"id":"1"}]}],
          "tools":[{"type":"function","function":{"z":1,"name":"f"}}],"documents":[{"text":"d"}],"chat_template_kwargs":{"k":1},
          "continue_final_message":true,"temperature":0})",
      true);
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_EQ(
      dump_json(request->chat),
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"hi"}],"name":"n"},)"
      R"({"role":"assistant","tool_calls":[{"id":"1"}]}],"tools":[{"type":"function","function":{"z":1,"name":"f"}}],)"
      R"("documents":[{"text":"d"}],"chat_template_kwargs":{"k":1},)"
      R"("add_generation_prompt":false,"continue_final_message":true})");
  EXPECT_FALSE(parse(chat_with(R"("tools":[{"function":{"name":"f"}}],"tool_choice":"none")"), true)
                   ->chat.contains("tools"));
}

TEST(OpenaiRequest, PromptsInAllForms) {
  using Ids = std::vector<TokenId>;
  using Prompts = std::vector<CompletionPrompt>;
  EXPECT_EQ(parse(R"({"prompt":"a"})", false)->prompts, (Prompts{"a"}));
  EXPECT_EQ(parse(R"({"prompt":["a","b"]})", false)->prompts, (Prompts{"a", "b"}));
  EXPECT_EQ(parse(R"({"prompt":[1,2]})", false)->prompts, (Prompts{Ids{1, 2}}));
  EXPECT_EQ(parse(R"({"prompt":[[1,2],[3]]})", false)->prompts, (Prompts{Ids{1, 2}, Ids{3}}));
  EXPECT_EQ(parse(R"({"prompt":["a",[3]]})", false)->prompts, (Prompts{"a", Ids{3}}));
  EXPECT_EQ(parse(R"({"prompt":"a","logprobs":0})", false)->sampling.num_logprobs, 0);
  EXPECT_TRUE(parse(R"({"prompt":"a","echo":true,"best_of":1,"suffix":""})", false)->echo);
}

}  // namespace
}  // namespace twostroke
