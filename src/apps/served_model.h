// ServedModel: a loaded model as the server sees it: facts, tokens, chat template.
#pragma once

#include "apps/loaded_model.h"
#include "apps/model_grammars.h"
#include "apps/options.h"
#include "engine/engine.h"
#include "server/model_services.h"

namespace twostroke {

class ServedModel final : public ModelServices {
 public:
  // `model` must outlive this. `created_unix_s`: when it was loaded.
  static Result<std::unique_ptr<ServedModel>> create(const LoadedModel& model, const Engine& engine,
                                                     const ServeOptions& options,
                                                     int64_t created_unix_s);

  const ModelInfo& info() const override { return info_; }
  Result<std::vector<TokenId>> encode(std::string_view text, bool add_special,
                                      bool parse_special) const override;
  std::string decode(std::span<const TokenId> tokens) const override;
  std::string token_bytes(TokenId token) const override;
  Result<std::string> render_chat(const nlohmann::ordered_json& request) const override;
  TracedPrompt trace_prompt(const nlohmann::ordered_json* chat, std::string_view text,
                            std::span<const TokenId> tokens) const override;
  Result<std::shared_ptr<const Grammar>> compile_grammar(const GrammarSpec& spec) const override {
    return grammars_.compile(spec);
  }

 private:
  ServedModel(const LoadedModel& model, const Engine& engine, const ServeOptions& options,
              int64_t created_unix_s);
  Status choose_reply_format(const ServeOptions& options);

  const LoadedModel& model_;
  ModelGrammars grammars_;
  ModelInfo info_;
  bool template_takes_tools_ = true;
};

}  // namespace twostroke
