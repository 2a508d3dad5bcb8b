#include "apps/model_grammars.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace twostroke {
namespace {

GrammarVocabulary vocabulary_of(const Tokenizer& tokenizer, int vocab_size) {
  GrammarVocabulary vocabulary;
  vocabulary.token_bytes.resize(static_cast<size_t>(vocab_size));
  vocabulary.is_special.resize(static_cast<size_t>(vocab_size));
  for (TokenId token = 0; token < std::min(vocab_size, tokenizer.vocab_size()); ++token) {
    const auto index = static_cast<size_t>(token);
    // An end token that the file calls text must not come as text either.
    vocabulary.is_special[index] =
        tokenizer.is_control(token) || tokenizer.is_end_of_generation(token);
    vocabulary.token_bytes[index] = vocabulary.is_special[index]
                                        ? tokenizer.token_text(token)
                                        : tokenizer.token_to_piece(token, /*special=*/false);
  }
  vocabulary.end_tokens = tokenizer.end_of_generation_ids();
  // A tokenizer that puts a space before the first word cannot cut the middle of a text.
  if (!tokenizer.adds_space_prefix()) {
    vocabulary.encode = [&tokenizer](std::string_view text) { return tokenizer.encode(text); };
  }
  return vocabulary;
}

}  // namespace

struct ModelGrammars::Pending {
  std::mutex mutex;
  std::condition_variable built;
  std::optional<Result<std::unique_ptr<GrammarCompiler>>> compiler;
};

ModelGrammars::ModelGrammars(const Tokenizer& tokenizer, int vocab_size)
    : pending_(std::make_unique<Pending>()) {
  if (tokenizer.end_of_generation_ids().empty()) {
    pending_->compiler =
        Error{ErrorCode::kUnsupported,
              "this model has no end-of-generation token: a constrained output could not end", ""};
    return;
  }
  builder_ = std::thread([this, &tokenizer, vocab_size] {
    auto compiler = GrammarCompiler::create(vocabulary_of(tokenizer, vocab_size));
    const std::lock_guard lock(pending_->mutex);
    pending_->compiler = std::move(compiler);
    pending_->built.notify_all();
  });
}

ModelGrammars::~ModelGrammars() {
  if (builder_.joinable()) builder_.join();
}

Result<std::shared_ptr<const Grammar>> ModelGrammars::compile(const GrammarSpec& spec) const {
  {
    std::unique_lock lock(pending_->mutex);
    pending_->built.wait(lock, [this] { return pending_->compiler.has_value(); });
  }
  if (!pending_->compiler->ok()) {
    Error error = pending_->compiler->error();
    error.field = spec.field;
    return error;
  }
  return (**pending_->compiler)->compile(spec);
}

}  // namespace twostroke
