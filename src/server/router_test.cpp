#include "server/router.h"

#include <gtest/gtest.h>

#include "server/fake_engine_client.h"
#include "server/fake_model_services.h"
#include "server/json_text.h"

namespace twostroke {
namespace {

class RouterTest : public testing::Test {
 protected:
  Reply ask(const std::string& method, const std::string& path, const std::string& body = "",
            bool loaded = true) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.id = "r1";
    request.wake = [] {};
    return dispatch(request, {options_, clock_, loaded ? &context_ : nullptr, "building panels"});
  }
  OrderedJson json(const std::string& method, const std::string& path,
                   const std::string& body = "") {
    const Reply reply = ask(method, path, body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return OrderedJson::parse(reply.body);
  }
  static std::string header(const Reply& reply, const std::string& name) {
    for (const auto& [key, value] : reply.headers) {
      if (key == name) return value;
    }
    return "";
  }

  ServerOptions options_;
  SteadyClock clock_;
  FakeEngineClient engine_{clock_};
  FakeModelServices model_;
  ServerContext context_{engine_, model_};
};

TEST_F(RouterTest, UnknownPathsAndMethods) {
  EXPECT_EQ(ask("GET", "/nothing").status, 404);
  EXPECT_EQ(ask("OPTIONS", "/nothing").status, 404);
  const Reply reply = ask("GET", "/v1/chat/completions");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(header(reply, "Allow"), "POST, OPTIONS");
  EXPECT_EQ(ask("DELETE", "/health").status, 405);
  EXPECT_EQ(header(ask("DELETE", "/health"), "Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(RouterTest, OptionsSaysWhatIsAllowed) {
  const Reply reply = ask("OPTIONS", "/health");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(header(reply, "Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "*").status, 204);
}

TEST_F(RouterTest, WhileLoadingItSaysWhatItDoes) {
  for (const char* path : {"/health", "/v1/health", "/v1/models", "/props"}) {
    const Reply reply = ask("GET", path, "", false);
    EXPECT_EQ(reply.status, 503) << path;
    EXPECT_EQ(header(reply, "Retry-After"), "1");
    EXPECT_NE(reply.body.find("building panels"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(ask("POST", "/v1/completions", "{}", false).status, 503);
  EXPECT_EQ(ask("GET", "/", "", false).status, 200);
}

TEST_F(RouterTest, PropsSayWhatCanBeAskedFor) {
  const OrderedJson endpoints = json("GET", "/props")["endpoints"];
  ASSERT_EQ(endpoints.size(), routes().size());
  for (const auto& endpoint : endpoints) {
    const std::string text = endpoint;
    const size_t space = text.find(' ');
    const std::string path = text.substr(space + 1) + (text.back() == '/' ? "x" : "");
    const std::string allowed = header(ask("OPTIONS", path == "/x" ? "/" : path), "Allow");
    EXPECT_NE(allowed.find(text.substr(0, space)), std::string::npos) << text;
  }
}

TEST_F(RouterTest, Health) {
  EXPECT_EQ(ask("GET", "/health").body, R"({"status":"ok"})");
  EXPECT_EQ(ask("HEAD", "/v1/health").status, 200);
}

TEST_F(RouterTest, Models) {
  const OrderedJson list = json("GET", "/v1/models");
  EXPECT_EQ(list["object"], "list");
  const OrderedJson& model = list["data"][0];
  EXPECT_EQ(model["id"], "fake");
  EXPECT_EQ(model["object"], "model");
  EXPECT_EQ(model["created"], 1700000000);
  EXPECT_EQ(model["owned_by"], "twostroke");
  EXPECT_EQ(model["root"], "/models/fake.gguf");
  EXPECT_EQ(model["max_model_len"], 4096);
  EXPECT_EQ(json("GET", "/v1/models/fake"), model);
  EXPECT_EQ(ask("GET", "/v1/models/other").status, 404);
}

TEST_F(RouterTest, Props) {
  const OrderedJson props = json("GET", "/props");
  EXPECT_EQ(props["default_generation_settings"]["n_ctx"], 4096);
  EXPECT_EQ(props["total_slots"], 8);
  EXPECT_EQ(props["model_path"], "/models/fake.gguf");
  EXPECT_EQ(props["chat_template"], "{{ fake }}");
  EXPECT_EQ(props["isa"], "scalar");
  EXPECT_EQ(props["threads"], 2);
  EXPECT_EQ(props["limits"]["max_body_bytes"], 16 << 20);
}

TEST_F(RouterTest, TokenizeInBothDialects) {
  EXPECT_EQ(ask("POST", "/tokenize", R"({"content":"ab"})").body, R"({"tokens":[97,98]})");
  EXPECT_EQ(ask("POST", "/tokenize", R"({"content":"a","add_special":true})").body,
            R"({"tokens":[256,97]})");
  EXPECT_EQ(
      ask("POST", "/tokenize", R"({"content":"a\u00e9","with_pieces":true})").body,
      R"({"tokens":[{"id":97,"piece":"a"},{"id":195,"piece":[195]},{"id":169,"piece":[169]}]})");
  EXPECT_EQ(ask("POST", "/tokenize", R"({"model":"m","prompt":"a"})").body,
            R"({"tokens":[256,97],"count":2,"max_model_len":4096})");
  EXPECT_EQ(ask("POST", "/tokenize", "{}").status, 400);
  EXPECT_EQ(ask("POST", "/tokenize", R"({"content":5})").status, 400);
}

TEST_F(RouterTest, Detokenize) {
  EXPECT_EQ(ask("POST", "/detokenize", R"({"tokens":[97,98]})").body,
            R"({"content":"ab","prompt":"ab"})");
  EXPECT_EQ(ask("POST", "/detokenize", R"({"tokens":[999]})").status, 400);
  EXPECT_EQ(ask("POST", "/detokenize", "[]").status, 400);
}

TEST_F(RouterTest, ApplyTemplate) {
  EXPECT_EQ(ask("POST", "/apply-template", R"({"messages":[{"role":"user","content":"hi"}]})").body,
            R"({"prompt":"<user>hi<assistant>"})");
  const Reply refused =
      ask("POST", "/apply-template", R"({"messages":[{"role":"user","content":"refuse"}]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("the template says no"), std::string::npos);
}

TEST_F(RouterTest, ResetPrefixCache) {
  EXPECT_EQ(ask("POST", "/reset_prefix_cache").status, 200);
  EXPECT_EQ(engine_.num_resets(), 1);
}

TEST_F(RouterTest, ErrorsHaveOpenaisShape) {
  const Reply reply = ask("POST", "/v1/chat/completions", R"({"messages":[]})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(
      reply.body,
      R"({"error":{"message":"messages is empty","type":"invalid_request_error","param":"messages","code":null}})");
}

TEST_F(RouterTest, GrammarsReachTheEngineCompiled) {
  engine_.hold(true);
  const Reply reply =
      ask("POST", "/v1/completions",
          R"({"prompt":"hi","max_tokens":1,"structured_outputs":{"choice":["a"]}})");
  EXPECT_EQ(reply.status, 200);
  ASSERT_EQ(engine_.submitted().size(), 1U);
  EXPECT_NE(engine_.submitted()[0].grammar, nullptr);
  engine_.hold(false);
}

TEST_F(RouterTest, AForcedCallIsAGrammar) {
  engine_.hold(true);
  const std::string asked =
      R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[)"
      R"({"type":"function","function":{"name":"f","parameters":{"type":"TYPE"}}}],"tool_choice":)";
  const auto with = [&](const std::string& type, const std::string& choice) {
    std::string body = asked + choice + "}";
    body.replace(body.find("TYPE"), 4, type);
    return ask("POST", "/v1/chat/completions", body);
  };
  EXPECT_EQ(with("object", R"("required")").status, 200);
  EXPECT_EQ(with("object", R"({"type":"function","function":{"name":"f"}})").status, 200);
  EXPECT_EQ(with("object", R"("auto")").status, 200);
  ASSERT_EQ(engine_.submitted().size(), 3U);
  EXPECT_NE(engine_.submitted()[0].grammar, nullptr);
  EXPECT_NE(engine_.submitted()[1].grammar, nullptr);
  EXPECT_EQ(engine_.submitted()[2].grammar, nullptr) << "the model chooses";
  const Reply wrong = with("elephant", R"("required")");
  EXPECT_EQ(wrong.status, 400) << wrong.body;
  EXPECT_EQ(OrderedJson::parse(wrong.body)["error"]["param"], "tools") << wrong.body;
  const Reply both = with("object", R"("required","grammar":"root ::= \"a\"")");
  EXPECT_EQ(both.status, 400) << both.body;
  EXPECT_EQ(OrderedJson::parse(both.body)["error"]["param"], "tool_choice") << both.body;
  engine_.hold(false);
}

TEST_F(RouterTest, AGrammarThatDoesNotCompileIsTheClientsError) {
  struct Case {
    std::string fields, param;
  };
  for (const Case& it : std::vector<Case>{
           {R"("response_format":{"type":"json_schema","json_schema":{"schema":{"type":"x"}}})",
            "response_format.json_schema.schema"},
           {R"("structured_outputs":{"regex":"a("})", "structured_outputs.regex"},
           {R"("grammar":"root ::= x")", "grammar"},
           {R"("structured_outputs":{"json":"{"})", "structured_outputs.json"}}) {
    const Reply reply =
        ask("POST", "/v1/completions", R"({"prompt":"hi","max_tokens":1,)" + it.fields + "}");
    EXPECT_EQ(reply.status, 400) << reply.body;
    EXPECT_EQ(OrderedJson::parse(reply.body)["error"]["param"], it.param) << reply.body;
  }
  EXPECT_TRUE(engine_.submitted().empty());
}

TEST_F(RouterTest, APromptThatIsTooLongSaysBothNumbers) {
  const std::string prompt(4095, 'x');  // BOS makes it 4096, the context length
  const Reply reply = ask("POST", "/v1/completions", R"({"prompt":")" + prompt + "\"}");
  EXPECT_EQ(reply.status, 400);
  const OrderedJson error = OrderedJson::parse(reply.body)["error"];
  EXPECT_EQ(error["code"], "context_length_exceeded");
  EXPECT_EQ(error["param"], "prompt");
  EXPECT_EQ(error["message"],
            "This model's maximum context length is 4096 tokens, of which at least one is for the "
            "answer, but your "
            "prompt has 4096 tokens. Shorten the prompt.");
  EXPECT_EQ(ask("POST", "/v1/completions", R"({"prompt":")" + prompt.substr(1) + "\"}").status,
            200);
  ASSERT_EQ(engine_.submitted().size(), 1U);
  EXPECT_EQ(engine_.submitted()[0].max_tokens, 1) << "the room that is left";
  EXPECT_EQ(ask("POST", "/v1/completions", R"({"prompt":[]})").status, 400);
}

TEST_F(RouterTest, AFullEngineIs503AndNothingStaysBehind) {
  engine_.hold(true);
  engine_.set_max_active(2);
  const Reply reply = ask("POST", "/v1/completions", R"({"prompt":"a","n":3})");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(header(reply, "Retry-After"), "1");
  EXPECT_EQ(engine_.num_cancelled(), 2) << "the choices that had been accepted";
}

TEST_F(RouterTest, WhatReachesTheEngine) {
  engine_.hold(true);
  const Reply reply =
      ask("POST", "/v1/completions",
          R"({"prompt":["ab",[99]],"n":2,"seed":5,"max_tokens":9,"stop":"x","ignore_eos":true,
                              "cache_salt":"s","cache_prompt":false})");
  ASSERT_TRUE(reply.source);
  const std::vector<RequestInput> inputs = engine_.submitted();
  ASSERT_EQ(inputs.size(), 4U);
  EXPECT_EQ(inputs[0].prompt, (std::vector<TokenId>{256, 'a', 'b'}));
  EXPECT_EQ(inputs[3].prompt, (std::vector<TokenId>{99}));
  EXPECT_EQ(inputs[0].sampling.seed, 5U);
  EXPECT_EQ(inputs[1].sampling.seed, 6U) << "choices of one prompt differ";
  EXPECT_EQ(inputs[2].sampling.seed, 5U);
  EXPECT_EQ(inputs[0].max_tokens, 9);
  EXPECT_EQ(inputs[0].stop, std::vector<std::string>{"x"});
  EXPECT_TRUE(inputs[0].ignore_eos);
  EXPECT_EQ(inputs[0].cache_salt, "s");
  EXPECT_FALSE(inputs[0].cache_prompt);
  EXPECT_LE(inputs[0].received_ns, inputs[0].parsed_ns);
  EXPECT_LE(inputs[0].parsed_ns, inputs[0].templated_ns);
  EXPECT_LE(inputs[0].templated_ns, inputs[0].tokenized_ns);
}

}  // namespace
}  // namespace twostroke
