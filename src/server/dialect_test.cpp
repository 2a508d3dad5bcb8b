// Goal: /v1/messages, /v1/responses and /v1/embeddings speak their APIs' words: replies, events,
// errors that name the field as it was written. Method: the router over a fake engine whose answer
// is "abc..."; the official clients are in tests/clients.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "server/fake_engine_client.h"
#include "server/fake_model_services.h"
#include "server/json_text.h"
#include "server/router.h"

namespace twostroke {
namespace {

using json = OrderedJson;

class DialectTest : public testing::Test {
 protected:
  Reply ask(const std::string& method, const std::string& path, const std::string& body) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.id = "r1";
    request.wake = [] {};
    return dispatch(request, {options_, clock_, &context_, "", nullptr, store_});
  }
  // Everything the reply says, and its status.
  std::pair<int, std::string> answer(const std::string& method, const std::string& path,
                                     const std::string& body) {
    Reply reply = ask(method, path, body);
    if (!reply.source) return {reply.status, reply.body};
    std::string out;
    while (!reply.source->poll(out)) std::this_thread::yield();
    reply.source->on_sent(clock_.now_ns(), -1);
    return {reply.source->status(), out};
  }
  json post(const std::string& path, const std::string& body) {
    const auto [status, text] = answer("POST", path, body);
    EXPECT_EQ(status, 200) << text;
    return json::parse(text);
  }
  // "type" of each event of a stream, runs of the same once.
  std::vector<std::string> events_of(const std::string& path, const std::string& body) {
    const auto [status, text] = answer("POST", path, body);
    EXPECT_EQ(status, 200) << text;
    std::vector<std::string> types;
    for (size_t at = 0; (at = text.find("event: ", at)) != text.npos; ++at) {
      const std::string type = text.substr(at + 7, text.find('\n', at) - at - 7);
      const size_t data = text.find("data: ", at) + 6;
      const json event = json::parse(text.substr(data, text.find('\n', data) - data));
      EXPECT_EQ(event["type"], type);
      if (event.contains("sequence_number")) {
        EXPECT_EQ(event["sequence_number"], num_events_++);
      }
      if (types.empty() || types.back() != type) types.push_back(type);
    }
    return types;
  }

  std::string last_prompt() {
    const std::vector<TokenId> prompt = engine_.submitted().back().prompt;
    return {prompt.begin(), prompt.end()};
  }

  int num_events_ = 0;
  ServerOptions options_;
  SteadyClock clock_;
  FakeEngineClient engine_{clock_};
  FakeModelServices model_;
  ServerContext context_{engine_, model_};
  std::shared_ptr<ResponseStore> store_ = std::make_shared<ResponseStore>(ResponseStore::Limits());
};

TEST_F(DialectTest, Messages) {
  const json whole =
      post("/v1/messages",
           R"({"model":"m","max_tokens":3,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(whole["content"].dump(), R"([{"type":"text","text":"abc"}])");
  EXPECT_EQ(whole["stop_reason"], "max_tokens");
  EXPECT_EQ(whole["usage"]["output_tokens"], 3);
  EXPECT_EQ(
      events_of("/v1/messages",
                R"({"max_tokens":3,"stream":true,"messages":[{"role":"user","content":"hi"}]})"),
      (std::vector<std::string>{"message_start", "ping", "content_block_start",
                                "content_block_delta", "content_block_stop", "message_delta",
                                "message_stop"}));
}

TEST_F(DialectTest, MessagesReachTheTemplateInChatsWords) {
  post("/v1/messages", R"({"max_tokens":1,"system":[{"type":"text","text":"S"}],"messages":[
      {"role":"user","content":[{"type":"text","text":"A"}]},
      {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"R"},
                                {"type":"text","text":"B"}]}]})");
  EXPECT_EQ(last_prompt(), "<system>S<user>A<assistant><tool>R<user>B<assistant>");
}

TEST_F(DialectTest, MessagesErrorsHaveTheirShapeAndNameTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"messages":[{"role":"user","content":"hi"}]})", "max_tokens"},
      {R"({"max_tokens":0,"messages":[{"role":"user","content":"hi"}]})", "max_tokens"},
      {R"({"max_tokens":1})", "messages"},
      {R"({"max_tokens":1,"messages":[]})", "messages"},
      {R"({"max_tokens":1,"messages":[{"role":"user"}]})", "messages[0].content"},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":[{"type":"image"}]}]})",
       "messages[0].content[0]"},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"a b"}]})",
       "tools[0].name"},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"tool_choice":"auto"})",
       "tool_choice"},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"stop_sequences":[""]})",
       "stop_sequences[0]"},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"thinking":{"type":1}})",
       "thinking.type"},
      {"nonsense", "JSON"}};
  for (const auto& [body, field] : cases) {
    const auto [status, text] = answer("POST", "/v1/messages", body);
    EXPECT_EQ(status, 400) << body;
    const json error = json::parse(text);
    EXPECT_EQ(error["type"], "error");
    EXPECT_EQ(error["error"]["type"], "invalid_request_error");
    EXPECT_NE(error["error"]["message"].get<std::string>().find(field), std::string::npos) << text;
  }
  engine_.set_max_active(0);
  const Reply refused = ask("POST", "/v1/messages",
                            R"({"max_tokens":1,"messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(refused.status, 529);
  EXPECT_EQ(json::parse(refused.body)["error"]["type"], "overloaded_error");
}

TEST_F(DialectTest, CountsTokensWithoutTheEngine) {
  EXPECT_EQ(post("/v1/messages/count_tokens", R"({"messages":[{"role":"user","content":"hi"}]})"),
            json({{"input_tokens", 19}}));
  EXPECT_TRUE(engine_.submitted().empty());
}

TEST_F(DialectTest, Responses) {
  const json whole =
      post("/v1/responses", R"({"input":"hi","max_output_tokens":3,"metadata":{"k":"v"}})");
  EXPECT_EQ(whole["object"], "response");
  EXPECT_EQ(whole["status"], "incomplete");
  EXPECT_EQ(whole["incomplete_details"]["reason"], "max_output_tokens");
  EXPECT_EQ(whole["output"][0]["content"][0]["text"], "abc");
  EXPECT_EQ(whole["metadata"]["k"], "v");
  EXPECT_EQ(whole["usage"]["output_tokens"], 3);
  EXPECT_EQ(
      events_of("/v1/responses", R"({"input":"hi","max_output_tokens":3,"stream":true})"),
      (std::vector<std::string>{
          "response.created", "response.in_progress", "response.output_item.added",
          "response.content_part.added", "response.output_text.delta", "response.output_text.done",
          "response.content_part.done", "response.output_item.done", "response.incomplete"}));
}

TEST_F(DialectTest, ResponsesGoOnByIdUntilTheyAreRemoved) {
  const std::string id = post("/v1/responses", R"({"input":"A","max_output_tokens":2})")["id"];
  EXPECT_EQ(json::parse(answer("GET", "/v1/responses/" + id, "").second)["id"], id);
  const std::string next = R"({"input":"B","max_output_tokens":2,"instructions":"I",)"
                           R"("previous_response_id":")" +
                           id + "\"}";
  post("/v1/responses", next);
  EXPECT_EQ(last_prompt(), "<system>I<user>A<assistant>ab<user>B<assistant>");
  EXPECT_EQ(answer("DELETE", "/v1/responses/" + id, "").first, 200);
  EXPECT_EQ(answer("GET", "/v1/responses/" + id, "").first, 404);
  EXPECT_EQ(answer("POST", "/v1/responses", next).first, 404);
  const std::string unstored = post("/v1/responses", R"({"input":"A","store":false})")["id"];
  EXPECT_EQ(answer("GET", "/v1/responses/" + unstored, "").first, 404);
}

TEST_F(DialectTest, ResponsesErrorsNameTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "input"},
      {R"({"input":[]})", "input"},
      {R"({"input":[{"type":"image_generation_call"}]})", "input[0].type"},
      {R"({"input":[{"role":"user","content":[{"type":"input_image"}]}]})", "input[0].content[0]"},
      {R"({"input":[{"type":"function_call","name":"f","arguments":"{}"}]})", "input[0].call_id"},
      {R"({"input":"x","max_output_tokens":"many"})", "max_output_tokens"},
      {R"({"input":"x","tools":[{"type":"function","name":"a b"}]})", "tools[0].name"},
      {R"({"input":"x","tools":[{"type":"file_search"}]})", "tools[0].type"},
      {R"({"input":"x","truncation":"auto"})", "truncation"},
      {R"({"input":"x","background":true})", "background"},
      {R"({"input":"x","temperature":"hot"})", "temperature"},
      {R"({"input":"x","text":[]})", "text"},
      {R"({"input":"x","store":"yes"})", "store"},
      {R"({"input":"x","metadata":[]})", "metadata"}};
  for (const auto& [body, field] : cases) {
    const auto [status, text] = answer("POST", "/v1/responses", body);
    EXPECT_EQ(status, 400) << body;
    EXPECT_EQ(json::parse(text)["error"]["param"], field) << text;
  }
}

TEST_F(DialectTest, Embeddings) {
  const json one = post("/v1/embeddings", R"({"model":"m","input":"hi"})");
  EXPECT_EQ(one["data"].size(), 1U);
  EXPECT_EQ(one["data"][0]["embedding"].dump(), json(std::vector<float>{0.6F, 0, -0.8F, 0}).dump());
  EXPECT_EQ(one["usage"]["prompt_tokens"], 3);
  EXPECT_FALSE(engine_.submitted().back().cache_prompt);
  const json cut = post("/v1/embeddings", R"({"input":[[104,105]],"dimensions":1})");
  EXPECT_EQ(cut["data"][0]["embedding"].dump(), "[1.0]");
  const json packed = post("/v1/embeddings", R"({"input":[104],"encoding_format":"base64"})");
  EXPECT_EQ(packed["data"][0]["embedding"], "mpkZPwAAAADNzEy/AAAAAA==");
  std::string many = R"({"input":["a")";
  for (int i = 0; i < 40; ++i) many += R"(,"b")";
  const json list = post("/v1/embeddings", many + "]}");
  EXPECT_EQ(list["data"].size(), 41U);
  EXPECT_EQ(list["data"][40]["index"], 40);
}

TEST_F(DialectTest, EmbeddingsErrorsNameTheField) {
  options_.max_embedding_inputs = 2;
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "input"},
      {R"({"input":""})", "input"},
      {R"({"input":[]})", "input"},
      {R"({"input":["a",""]})", "input[1]"},
      {R"({"input":["a",5]})", "input[1]"},
      {R"({"input":["a","b","c"]})", "input"},
      {R"({"input":[[1,99999]]})", "input[0]"},
      {R"({"input":"a","dimensions":5})", "dimensions"},
      {R"({"input":"a","dimensions":0})", "dimensions"},
      {R"({"input":"a","encoding_format":"hex"})", "encoding_format"}};
  for (const auto& [body, field] : cases) {
    const auto [status, text] = answer("POST", "/v1/embeddings", body);
    EXPECT_EQ(status, 400) << body;
    EXPECT_EQ(json::parse(text)["error"]["param"], field) << text;
  }
  const auto [status, text] =
      answer("POST", "/v1/embeddings", R"({"input":")" + std::string(5000, 'x') + "\"}");
  EXPECT_EQ(json::parse(text)["error"]["code"], "context_length_exceeded");
  EXPECT_EQ(status, 400);
}

}  // namespace
}  // namespace twostroke
