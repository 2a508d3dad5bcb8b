#include "tokenizer/vocab_loader.h"

#include <fmt/format.h>

#include "gguf/gguf_file.h"

namespace twostroke {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";

std::string key(std::string_view name) {
  return fmt::format("{}{}", kPrefix, name);
}

// What llama.cpp assumes when a file of this tokenizer model names no ids.
Status set_model(const GgufFile& file, VocabData& data) {
  const std::string_view model = TRY(file.get_string(key("model")));
  if (model == "llama") {
    data.kind = TokenizerKind::kSentencePiece;
    data.bos_id = 1;
    data.eos_id = 2;
    data.unk_id = 0;
    data.add_bos = true;
    data.add_space_prefix = true;
    return {};
  }
  data.kind = TokenizerKind::kBpe;
  if (model == "gpt2") {
    data.bos_id = 11;
    data.eos_id = 11;
    data.pre = std::string(TRY(file.get_string_or(key("pre"), "default")));
    if (data.pre.empty()) data.pre = "default";
    return {};
  }
  if (model == "gemma4") {
    data.pre = "gemma4";
    return {};
  }
  std::string_view reason = "it is not known";
  if (model == "bert") reason = "WordPiece is not supported";
  if (model == "t5") reason = "SentencePiece unigram is not supported";
  if (model == "rwkv" || model == "plamo2" || model == "hybriddna" || model == "whitespace") {
    reason = "it belongs to one model family and is not supported";
  }
  if (model == "none" || model == "no_vocab") reason = "the file has no vocabulary";
  return Error{
      ErrorCode::kUnsupported,
      fmt::format(
          "{}: tokenizer model '{}': {}; supported: gpt2 (BPE), llama (SentencePiece), gemma4",
          file.path(), model, reason),
      key("model")};
}

Status read_tokens(const GgufFile& file, VocabData& data) {
  data.tokens = TRY(file.get_strings(key("tokens")));
  if (data.kind == TokenizerKind::kBpe) data.merges = TRY(file.get_strings(key("merges")));
  if (file.has(key("scores")) && data.kind == TokenizerKind::kSentencePiece) {
    if (auto integers = file.find_ints(key("scores"))) {
      data.scores.assign(integers->begin(), integers->end());
    } else {
      data.scores = TRY(file.get_floats(key("scores")));
    }
  } else if (data.kind == TokenizerKind::kSentencePiece) {
    data.scores.assign(data.tokens.size(), 0.0F);
  }
  if (file.has(key("token_type"))) {
    for (const int64_t type : TRY(file.get_ints(key("token_type")))) {
      data.types.push_back(type >= 0 && type <= 6 ? static_cast<TokenType>(type)
                                                  : TokenType::kUndefined);
    }
  }
  return {};
}

// An id out of range keeps the default, as in llama.cpp; a default out of range is none.
Status read_id(const GgufFile& file, std::string_view name, const VocabData& data, TokenId& id) {
  const auto size = static_cast<int64_t>(data.tokens.size());
  if (id >= size) id = kNoToken;
  const int64_t in_file = TRY(file.get_i64_or(key(name), int64_t{kNoToken}));
  if (in_file >= 0 && in_file < size) id = static_cast<TokenId>(in_file);
  return {};
}

Status read_ids(const GgufFile& file, VocabData& data) {
  TRY(read_id(file, "bos_token_id", data, data.bos_id));
  TRY(read_id(file, "eos_token_id", data, data.eos_id));
  TRY(read_id(file, "eot_token_id", data, data.eot_id));
  TRY(read_id(file, "eom_token_id", data, data.eom_id));
  TRY(read_id(file, "unknown_token_id", data, data.unk_id));
  TRY(read_id(file, "padding_token_id", data, data.pad_id));
  TRY(read_id(file, "fim_pad_token_id", data, data.fim_pad_id));
  TRY(read_id(file, "fim_rep_token_id", data, data.fim_rep_id));
  TRY(read_id(file, "fim_sep_token_id", data, data.fim_sep_id));
  return {};
}

}  // namespace

Result<const PreTokenizerProfile*> get_pre_tokenizer(std::string_view name) {
  const PreTokenizerProfile* profile = find_pre_tokenizer(name);
  if (profile != nullptr) return profile;
  return Error{ErrorCode::kUnsupported,
               fmt::format("unknown pre-tokenizer '{}'; known: {}", name, known_pre_tokenizers()),
               key("pre")};
}

Result<VocabData> load_vocab_data(const GgufFile& file) {
  VocabData data;
  TRY(set_model(file, data));
  const PreTokenizerProfile* profile = nullptr;
  if (data.kind == TokenizerKind::kBpe) {
    profile = TRY(get_pre_tokenizer(data.pre));
    data.add_bos = profile->default_add_bos;
    if (!profile->default_bos) data.bos_id = kNoToken;
  }
  TRY(read_tokens(file, data));
  TRY(read_ids(file, data));
  data.add_bos = TRY(file.get_bool_or(key("add_bos_token"), data.add_bos));
  data.add_eos = TRY(file.get_bool_or(key("add_eos_token"), data.add_eos));
  data.add_space_prefix = TRY(file.get_bool_or(key("add_space_prefix"), data.add_space_prefix));
  if (profile != nullptr && profile->force_add_bos) data.add_bos = true;
  data.model_name = std::string(file.find_string("general.name").value_or(""));
  data.architecture = std::string(file.find_string("general.architecture").value_or(""));
  return data;
}

}  // namespace twostroke
