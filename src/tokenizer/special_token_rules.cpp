#include "tokenizer/special_token_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace twostroke {
namespace {

using std::string_view;

#define DEEPSEEK_BAR "\xEF\xBD\x9C"  // U+FF5C
#define SPACE_MARK "\xE2\x96\x81"    // U+2581

constexpr string_view kEndOfSentence =
    "<" DEEPSEEK_BAR "end" SPACE_MARK "of" SPACE_MARK "sentence" DEEPSEEK_BAR ">";

constexpr std::array<string_view, 11> kEndOfTurn = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>",     "<|end_of_text|>",
    "<EOT>",      "_<EOT>",     "[EOT]",   kEndOfSentence,  "<end_of_utterance>"};
constexpr std::array<string_view, 1> kEndOfMessage = {"<|eom_id|>"};
constexpr std::array<string_view, 5> kFimPad = {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>",
                                                "[PAD]"};
constexpr std::array<string_view, 5> kFimRepository = {"<|fim_repo|>", "<|repo_name|>",
                                                       "<fim-repo>", "<REPO>", "<reponame>"};
constexpr std::array<string_view, 1> kFimSeparator = {"<|file_sep|>"};
constexpr std::array<string_view, 22> kEndOfGeneration = {"<|eot_id|>",
                                                          "<|im_end|>",
                                                          "<|end|>",
                                                          "<|return|>",
                                                          "<|call|>",
                                                          "<|flush|>",
                                                          "<|calls|>",
                                                          "<end_of_turn>",
                                                          "<|endoftext|>",
                                                          "</s>",
                                                          "<|eom_id|>",
                                                          "<EOT>",
                                                          "_<EOT>",
                                                          "[EOT]",
                                                          "[EOS]",
                                                          "<|end_of_text|>",
                                                          "<end_of_utterance>",
                                                          "<eos>",
                                                          "<turn|>",
                                                          "<|tool_response>",
                                                          kEndOfSentence,
                                                          "[e~["};
// gpt-oss: parts of the text's structure that must stay visible.
constexpr std::array<string_view, 4> kAlwaysShown = {"<|channel|>", "<|message|>", "<|start|>",
                                                     "<|constrain|>"};

bool contains_any(string_view text, std::initializer_list<string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [text](string_view part) { return text.find(part) != string_view::npos; });
}

}  // namespace

void SpecialTokenRules::apply(string_view pre, string_view model_name, string_view architecture) {
  SpecialIds& ids = vocabulary_.special_;
  detect(ids.eot, kEndOfTurn);
  detect(ids.eom, kEndOfMessage);
  detect(ids.fim_pad, kFimPad);
  detect(ids.fim_rep, kFimRepository);
  detect(ids.fim_sep, kFimSeparator);
  mark_end_of_generation();
  undo_false_ends();
  set_stripping(pre, model_name, architecture);
}

void SpecialTokenRules::detect(TokenId& id, std::span<const string_view> names) {
  for (const string_view name : names) {
    if (id != kNoToken) return;
    id = vocabulary_.find(name);
    if (id != kNoToken) attributes(id) |= kAttrControl;
  }
}

void SpecialTokenRules::mark_end_of_generation() {
  std::vector<bool>& ends = vocabulary_.ends_generation_;
  for (const string_view name : kEndOfGeneration) {
    const TokenId id = vocabulary_.find(name);
    if (id == kNoToken) continue;
    ends[static_cast<size_t>(id)] = true;
    attributes(id) |= kAttrControl;
  }
  for (const string_view name : kAlwaysShown) {
    const TokenId id = vocabulary_.find(name);
    if (id != kNoToken) attributes(id) = kAttrUserDefined;
  }
  const SpecialIds& ids = vocabulary_.special_;
  for (const TokenId id : {ids.eos, ids.eot, ids.eom, ids.fim_pad, ids.fim_rep, ids.fim_sep}) {
    if (id != kNoToken) ends[static_cast<size_t>(id)] = true;
  }
}

void SpecialTokenRules::undo_false_ends() {
  const bool harmony = ends("<|return|>") && ends("<|call|>");
  const bool solar = (ends("<|call|>") || ends("<|calls|>")) && ends("<|flush|>");
  if ((harmony || solar) && ends("<|end|>")) {  // ends a message there, not the answer
    const TokenId id = vocabulary_.find("<|end|>");
    vocabulary_.ends_generation_[static_cast<size_t>(id)] = false;
    attributes(id) = kAttrUserDefined;
  }
  if (ends("<|tool_response>") && ends("</s>")) {  // gemma 4: an ordinary HTML tag
    const TokenId id = vocabulary_.find("</s>");
    vocabulary_.ends_generation_[static_cast<size_t>(id)] = false;
    attributes(id) = kAttrNormal;
  }
}

void SpecialTokenRules::set_stripping(string_view pre, string_view model_name,
                                      string_view architecture) {
  std::string name(model_name);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (contains_any(pre, {"jina-v2-de", "jina-v2-es", "jina-v2-code"}) ||
      contains_any(architecture, {"nomic-bert-moe", "jina-bert-v3"})) {
    set_attribute("<mask>", kAttrStripLeft, true);
  } else if (contains_any(name, {"phi-3", "phi3"})) {
    for (TokenId id = 0; id < vocabulary_.size(); ++id) {
      if (vocabulary_.has(id, kAttrControl | kAttrUserDefined | kAttrUnknown))
        attributes(id) |= kAttrStripRight;
    }
    set_attribute("</s>", kAttrStripRight, true);
    for (const string_view token : {"<unk>", "<s>", "<|endoftext|>"}) {
      set_attribute(token, kAttrStripRight, false);
    }
  } else if (contains_any(name, {"modern-bert"})) {
    set_attribute("[MASK]", kAttrStripLeft, true);
  }
}

bool SpecialTokenRules::ends(string_view name) const {
  const TokenId id = vocabulary_.find(name);
  return id != kNoToken && vocabulary_.is_end_of_generation(id);
}

void SpecialTokenRules::set_attribute(string_view name, TokenAttribute attribute, bool on) {
  const TokenId id = vocabulary_.find(name);
  if (id == kNoToken) return;
  if (on) {
    attributes(id) = static_cast<uint8_t>(attributes(id) | attribute);
  } else {
    attributes(id) = static_cast<uint8_t>(attributes(id) & ~attribute);
  }
}

}  // namespace twostroke
