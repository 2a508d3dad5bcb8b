// ModelGrammars: grammars for a loaded model. The vocabulary's trie takes up to a second to build,
// so a thread does it while the first requests come in; a compile waits for it.
#pragma once

#include <memory>
#include <optional>
#include <thread>

#include "base/ids.h"
#include "base/result.h"
#include "sampling/grammar_compiler.h"
#include "tokenizer/tokenizer.h"

namespace twostroke {

class ModelGrammars {
 public:
  // `tokenizer` outlives this and every grammar; `vocab_size` is the model's, which may pad the
  // tokenizer's.
  ModelGrammars(const Tokenizer& tokenizer, int vocab_size);
  ~ModelGrammars();
  ModelGrammars(const ModelGrammars&) = delete;
  ModelGrammars& operator=(const ModelGrammars&) = delete;

  // Any thread.
  Result<std::shared_ptr<const Grammar>> compile(const GrammarSpec& spec) const;

 private:
  struct Pending;
  std::unique_ptr<Pending> pending_;
  std::thread builder_;  // last: fills pending_
};

}  // namespace twostroke
