// FakeModelServices: a model whose tokens are bytes, for tests of the HTTP side. Tokens 256 and 257
// are BOS and EOS.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sampling/grammar_compiler.h"
#include "server/model_services.h"

namespace twostroke {

class FakeModelServices final : public ModelServices {
 public:
  FakeModelServices() {
    info_.id = "fake";
    info_.root = "/models/fake.gguf";
    info_.architecture = "fake";
    info_.max_model_len = 4096;
    info_.vocab_size = 258;
    info_.bos_token = 256;
    info_.eos_token = 257;
    info_.bos_text = "<s>";
    info_.eos_text = "</s>";
    info_.chat_template = "{{ fake }}";
    info_.hidden_size = 4;
    info_.created_unix_s = 1700000000;
    info_.file_bytes = 1000;
    info_.max_running = 8;
    info_.num_threads = 2;
    info_.isa = "scalar";
    GrammarVocabulary vocabulary;
    for (TokenId token = 0; token < info_.vocab_size; ++token) {
      vocabulary.token_bytes.push_back(decode({&token, 1}));
      vocabulary.is_special.push_back(token >= 256);
    }
    vocabulary.end_tokens = {info_.eos_token};
    compiler_ = GrammarCompiler::create(std::move(vocabulary)).value();
  }

  const ModelInfo& info() const override { return info_; }
  ModelInfo& mutable_info() { return info_; }

  Result<std::vector<TokenId>> encode(std::string_view text, bool add_special,
                                      bool) const override {
    std::vector<TokenId> ids;
    if (add_special) ids.push_back(info_.bos_token);
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }

  std::string decode(std::span<const TokenId> tokens) const override {
    std::string text;
    for (const TokenId token : tokens) {
      if (token < 256) {
        text += static_cast<char>(token);
      } else {
        text += token == 256 ? info_.bos_text : info_.eos_text;
      }
    }
    return text;
  }

  Result<std::shared_ptr<const Grammar>> compile_grammar(const GrammarSpec& spec) const override {
    return compiler_->compile(spec);
  }

  // "<role>text" per message, then "<assistant>". A system message "refuse" is refused.
  Result<std::string> render_chat(const nlohmann::ordered_json& request) const override {
    std::string text;
    for (const auto& message : request.at("messages")) {
      const auto& content = message.at("content");
      if (content == "refuse")
        return Error{ErrorCode::kInvalidArgument, "the template says no", "messages"};
      text += "<" + message.at("role").get<std::string>() + ">";
      text += content.is_string() ? content.get<std::string>() : content.dump();
    }
    if (request.contains("tools")) text += request.at("tools").dump();
    if (request.at("add_generation_prompt") == true) text += "<assistant>";
    return text;
  }

 private:
  ModelInfo info_;
  std::unique_ptr<GrammarCompiler> compiler_;
};

}  // namespace twostroke
