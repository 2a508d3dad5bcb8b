#include "sampling/grammar_compiler.h"

#include <fmt/format.h>
#include <llguidance.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "sampling/gbnf.h"
#include "sampling/json_schema.h"

namespace twostroke {
namespace {

constexpr char kSpecialPrefix = '\xFF';  // llguidance's mark of a special token

struct FreeTokenizer {
  void operator()(LlgTokenizer* tokenizer) const { llg_free_tokenizer(tokenizer); }
};
struct FreeMatcher {
  void operator()(LlgMatcher* matcher) const { llg_free_matcher(matcher); }
};
using TokenizerPtr = std::unique_ptr<LlgTokenizer, FreeTokenizer>;
using MatcherPtr = std::unique_ptr<LlgMatcher, FreeMatcher>;

// The library adds its state after the first line, for its own developers.
Error error_of(LlgMatcher* matcher, const std::string& field, ErrorCode code) {
  const char* text = llg_matcher_get_error(matcher);
  std::string message = text == nullptr ? "unknown error" : text;
  for (const std::string_view mark : {"\n<state>", "\n<non-verbose/>"}) {
    message = message.substr(0, message.find(mark));
  }
  constexpr size_t kMaxMessageBytes = 1000;
  if (message.size() > kMaxMessageBytes) message = message.substr(0, kMaxMessageBytes) + " ...";
  return Error{code, field.empty() ? message : fmt::format("{}: {}", field, message), field};
}

// What all grammars of a model share.
struct Shared {
  GrammarVocabulary vocabulary;
  TokenizerPtr tokenizer;
};

class LlgGrammarMatcher final : public GrammarMatcher {
 public:
  LlgGrammarMatcher(std::shared_ptr<const Shared> shared, MatcherPtr matcher)
      : shared_(std::move(shared)), matcher_(std::move(matcher)) {}

  Status compute_mask(std::span<uint32_t> mask) override {
    CHECK_EQ(mask.size_bytes(), llg_matcher_get_mask_byte_size(matcher_.get()));
    if (llg_matcher_is_stopped(matcher_.get()) && !llg_matcher_is_error(matcher_.get())) {
      std::fill(mask.begin(), mask.end(), 0U);
      for (const TokenId token : shared_->vocabulary.end_tokens) {
        mask[static_cast<size_t>(token) / 32] |= 1U << (static_cast<size_t>(token) % 32);
      }
      return {};
    }
    if (llg_matcher_compute_mask_into(matcher_.get(), mask.data(), mask.size_bytes()) == 0) {
      return {};
    }
    return error_of(matcher_.get(), "", ErrorCode::kInvalidArgument);
  }

  Status accept(TokenId token) override {
    if (llg_matcher_is_stopped(matcher_.get()) && !llg_matcher_is_error(matcher_.get())) return {};
    if (llg_matcher_consume_token(matcher_.get(), static_cast<uint32_t>(token)) == 0) return {};
    return error_of(matcher_.get(), "", ErrorCode::kInvalidArgument);
  }

 private:
  std::shared_ptr<const Shared> shared_;  // outlives matcher_
  MatcherPtr matcher_;
};

class LlgGrammar final : public Grammar {
 public:
  LlgGrammar(std::shared_ptr<const Shared> shared, MatcherPtr matcher)
      : shared_(std::move(shared)), matcher_(std::move(matcher)) {}

  std::unique_ptr<GrammarMatcher> start() const override {
    return std::make_unique<LlgGrammarMatcher>(shared_,
                                               MatcherPtr(llg_clone_matcher(matcher_.get())));
  }

 private:
  std::shared_ptr<const Shared> shared_;
  MatcherPtr matcher_;  // at the beginning; only ever cloned
};

// The kind as the library calls it, and the text it takes.
struct Source {
  const char* kind;
  std::string text;
};

class LlgGrammarCompiler final : public GrammarCompiler {
 public:
  LlgGrammarCompiler(std::shared_ptr<const Shared> shared, const GrammarLimits& limits)
      : shared_(std::move(shared)), limits_(limits) {}

  Result<std::shared_ptr<const Grammar>> compile(const GrammarSpec& spec) const override {
    if (spec.text.size() > limits_.max_bytes) {
      return Error{ErrorCode::kTooLarge,
                   fmt::format("{} has {} bytes; the limit is {}", spec.field, spec.text.size(),
                               limits_.max_bytes),
                   spec.field};
    }
    if (spec.text.find('\0') != std::string::npos) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("{} contains a zero byte", spec.field),
                   spec.field};
    }
    const Source source = TRY(source_of(spec));
    LlgConstraintInit init = {};
    llg_constraint_init_set_defaults(&init, shared_->tokenizer.get());
    init.log_buffer_level = 0;
    init.log_stderr_level = 0;
    init.limits = {.max_items_in_row = limits_.max_items_in_row,
                   .initial_lexer_fuel = limits_.max_lexer_nodes,
                   .step_lexer_fuel = limits_.max_mask_lexer_steps,
                   .step_max_items = limits_.max_mask_items,
                   .max_lexer_states = limits_.max_lexer_states,
                   .max_grammar_size = limits_.max_symbols,
                   .precompute_large_lexemes = true,
                   .verbose_errors = false};
    MatcherPtr matcher(llg_new_matcher(&init, source.kind, source.text.c_str()));
    if (llg_matcher_is_error(matcher.get())) {
      return error_of(matcher.get(), spec.field, ErrorCode::kInvalidArgument);
    }
    auto grammar = std::make_shared<LlgGrammar>(shared_, std::move(matcher));
    TRY(check_can_begin(*grammar, spec));
    return std::shared_ptr<const Grammar>(std::move(grammar));
  }

 private:
  Result<Source> source_of(const GrammarSpec& spec) const {
    switch (spec.kind) {
      case GrammarSpec::Kind::kJsonSchema:
        return Source{"json_schema",
                      TRY(prepare_json_schema(spec.text, limits_.max_depth, spec.field))};
      case GrammarSpec::Kind::kRegex:
        return Source{"regex", spec.text};
      case GrammarSpec::Kind::kGbnf:
        return Source{"lark", TRY(lark_from_gbnf(spec.text, spec.field))};
      case GrammarSpec::Kind::kLark:
        break;
    }
    return Source{"lark", spec.text};
  }

  // Some grammars compile but have no first token, such as a rule that is only itself.
  Status check_can_begin(const Grammar& grammar, const GrammarSpec& spec) const {
    std::vector<uint32_t> mask(token_mask_words(shared_->vocabulary.token_bytes.size()));
    const Status status = grammar.start()->compute_mask(mask);
    if (status.ok()) return {};
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: nothing can meet it ({})", spec.field, status.error().message),
                 spec.field};
  }

  std::shared_ptr<const Shared> shared_;
  GrammarLimits limits_;
};

// LlgTokenizeFn. `user`: the GrammarVocabulary.
size_t tokenize(const void* user, const uint8_t* bytes, size_t num_bytes, uint32_t* tokens,
                size_t max_tokens) {
  const auto& vocabulary = *static_cast<const GrammarVocabulary*>(user);
  const std::vector<TokenId> ids =
      vocabulary.encode({reinterpret_cast<const char*>(bytes), num_bytes});  // safe: bytes as text
  for (size_t i = 0; i < std::min(ids.size(), max_tokens); ++i) {
    tokens[i] = static_cast<uint32_t>(ids[i]);
  }
  return ids.size();
}

}  // namespace

Result<std::unique_ptr<GrammarCompiler>> GrammarCompiler::create(GrammarVocabulary vocabulary,
                                                                 const GrammarLimits& limits) {
  CHECK(!vocabulary.end_tokens.empty());
  CHECK_EQ(vocabulary.token_bytes.size(), vocabulary.is_special.size());
  auto shared = std::make_shared<Shared>();
  shared->vocabulary = std::move(vocabulary);
  const GrammarVocabulary& kept = shared->vocabulary;
  std::string all_bytes;
  std::vector<uint32_t> lengths;
  for (size_t i = 0; i < kept.token_bytes.size(); ++i) {
    const size_t before = all_bytes.size();
    if (kept.is_special[i] && !kept.token_bytes[i].empty()) all_bytes += kSpecialPrefix;
    all_bytes += kept.token_bytes[i];
    lengths.push_back(static_cast<uint32_t>(all_bytes.size() - before));
  }
  std::vector<LlgToken> end_tokens(kept.end_tokens.begin(), kept.end_tokens.end());
  LlgTokenizerInitV2 init = {};
  init.struct_size = sizeof(init);
  init.vocab_size = static_cast<uint32_t>(lengths.size());
  init.tok_eos = end_tokens.front();
  init.token_lens = lengths.data();
  init.token_bytes = reinterpret_cast<const uint8_t*>(all_bytes.data());  // safe: text as bytes
  init.tokenize_assumes_string = kept.encode != nullptr;
  init.tokenize_fn = kept.encode != nullptr ? tokenize : nullptr;
  init.use_approximate_greedy_tokenize_fn = kept.encode == nullptr;
  init.tokenize_user_data = &kept;
  init.tok_eos_extra = end_tokens.data() + 1;
  init.tok_eos_extra_count = static_cast<uint32_t>(end_tokens.size() - 1);
  std::array<char, 512> message{};
  shared->tokenizer.reset(llg_new_tokenizer_v2(&init, message.data(), message.size()));
  if (shared->tokenizer == nullptr) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("the vocabulary cannot be used for grammars: {}", message.data()), ""};
  }
  return std::unique_ptr<GrammarCompiler>(
      std::make_unique<LlgGrammarCompiler>(std::move(shared), limits));
}

}  // namespace twostroke
