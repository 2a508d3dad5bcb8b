#include "tokenizer/pre_tokenizer.h"

#include "tokenizer/utf8.h"

namespace twostroke {
namespace {

// Groups of three code points from the right end of [begin, end); the first group has one to three.
void append_digit_groups(std::string_view text, size_t begin, size_t end,
                         std::vector<size_t>& ends) {
  size_t left = 0;  // code points that have no group yet
  for (size_t i = begin; i < end; i += utf8_length_by_lead(text[i])) ++left;
  for (size_t i = begin; i < end;) {
    i += utf8_length_by_lead(text[i]);
    if (--left % 3 == 0) ends.push_back(i);
  }
}

}  // namespace

Result<PreTokenizer> PreTokenizer::create(const PreTokenizerProfile& profile) {
  PreTokenizer splitter;
  for (const PreTokenizerStep& step : profile.steps) {
    splitter.steps_.push_back({step.kind, TRY(Regex::compile(step.pattern))});
  }
  return splitter;
}

void PreTokenizer::split(std::string_view text, Scratch& scratch, std::vector<size_t>& ends) const {
  ends.clear();
  if (text.empty()) return;
  ends.push_back(text.size());
  for (const Step& step : steps_) {
    scratch.previous_ends.swap(ends);
    ends.clear();
    size_t piece_begin = 0;
    for (const size_t piece_end : scratch.previous_ends) {
      const std::string_view piece = text.substr(piece_begin, piece_end - piece_begin);
      size_t done = 0;  // within the piece
      while (done < piece.size()) {
        const auto match = scratch.regex.find(step.regex, piece, done);
        if (!match) break;
        if (match->begin > done) ends.push_back(piece_begin + match->begin);
        if (step.kind == PreTokenizerStep::Kind::kGroupDigits) {
          append_digit_groups(text, piece_begin + match->begin, piece_begin + match->end, ends);
        } else {
          ends.push_back(piece_begin + match->end);
        }
        done = match->end;
      }
      if (done < piece.size()) ends.push_back(piece_end);
      piece_begin = piece_end;
    }
  }
}

}  // namespace twostroke
