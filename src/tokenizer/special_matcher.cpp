#include "tokenizer/special_matcher.h"

#include <algorithm>
#include <map>
#include <queue>

namespace twostroke {
namespace {

// C's isspace in the "C" locale: what the models' strip flags mean in llama.cpp.
bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

SpecialMatcher::SpecialMatcher(const Vocabulary& vocabulary) : vocabulary_(vocabulary), nodes_(1) {
  for (TokenId id = 0; id < vocabulary.size(); ++id) {
    if (!vocabulary.has(id, kAttrControl | kAttrUserDefined | kAttrUnknown)) continue;
    if (!vocabulary.text(id).empty()) insert(vocabulary.text(id), id);
  }
}

void SpecialMatcher::insert(std::string_view text, TokenId token) {
  can_begin_[static_cast<uint8_t>(text[0])] = true;
  int32_t node = 0;
  for (const char byte : text) {
    int32_t next = child(node, byte);
    if (next < 0) {
      next = static_cast<int32_t>(nodes_.size());
      nodes_.push_back({-1, nodes_[static_cast<size_t>(node)].first_child, kNoToken, byte});
      nodes_[static_cast<size_t>(node)].first_child = next;
    }
    node = next;
  }
  TokenId& value = nodes_[static_cast<size_t>(node)].token;
  if (value == kNoToken) value = token;
}

int32_t SpecialMatcher::child(int32_t node, char byte) const {
  int32_t candidate = nodes_[static_cast<size_t>(node)].first_child;
  while (candidate >= 0 && nodes_[static_cast<size_t>(candidate)].byte != byte) {
    candidate = nodes_[static_cast<size_t>(candidate)].next_sibling;
  }
  return candidate;
}

SpecialMatcher::Candidate SpecialMatcher::longest_at(std::string_view text, size_t begin,
                                                     size_t max_length, bool with_control) const {
  Candidate best{begin, 0, kNoToken};
  int32_t node = 0;
  const size_t end = begin + std::min(max_length, text.size() - begin);
  for (size_t i = begin; i < end; ++i) {
    node = child(node, text[i]);
    if (node < 0) break;
    const TokenId token = nodes_[static_cast<size_t>(node)].token;
    if (token == kNoToken) continue;
    if (!with_control && vocabulary_.has(token, kAttrControl | kAttrUnknown)) continue;
    best = {begin, i + 1 - begin, token};
  }
  return best;
}

std::vector<SpecialMatcher::Candidate> SpecialMatcher::all_candidates(std::string_view text,
                                                                      bool with_control) const {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!can_begin_[static_cast<uint8_t>(text[i])]) continue;
    const Candidate candidate = longest_at(text, i, text.size(), with_control);
    if (candidate.token != kNoToken) candidates.push_back(candidate);
  }
  return candidates;
}

// Best first; a candidate whose end is taken comes back with the longest token that still fits.
std::vector<SpecialMatcher::Candidate> SpecialMatcher::choose(std::string_view text,
                                                              bool with_control) const {
  const auto worse = [](const Candidate& a, const Candidate& b) {
    return a.length != b.length ? a.length < b.length : a.begin > b.begin;
  };
  std::priority_queue<Candidate, std::vector<Candidate>, decltype(worse)> queue(
      worse, all_candidates(text, with_control));
  std::map<size_t, Candidate> taken;  // by begin of the range, which includes stripped white space
  while (!queue.empty()) {
    const Candidate candidate = queue.top();
    queue.pop();
    const auto after = taken.upper_bound(candidate.begin);
    const size_t left_limit =
        after == taken.begin() ? 0 : std::prev(after)->first + std::prev(after)->second.length;
    if (left_limit > candidate.begin) continue;
    const size_t right_limit = after == taken.end() ? text.size() : after->first;
    if (candidate.begin + candidate.length > right_limit) {
      const Candidate shorter =
          longest_at(text, candidate.begin, right_limit - candidate.begin, with_control);
      if (shorter.token != kNoToken) queue.push(shorter);
      continue;
    }
    size_t begin = candidate.begin;
    size_t end = candidate.begin + candidate.length;
    if (vocabulary_.has(candidate.token, kAttrStripLeft)) {
      while (begin > left_limit && is_ascii_space(text[begin - 1])) --begin;
    }
    if (vocabulary_.has(candidate.token, kAttrStripRight)) {
      while (end < right_limit && is_ascii_space(text[end])) ++end;
    }
    taken[begin] = {begin, end - begin, candidate.token};
  }
  std::vector<Candidate> chosen;
  for (const auto& [begin, candidate] : taken) chosen.push_back(candidate);
  return chosen;
}

std::vector<TextFragment> SpecialMatcher::partition(std::string_view text,
                                                    bool with_control) const {
  std::vector<TextFragment> fragments;
  size_t done = 0;
  for (const Candidate& token : choose(text, with_control)) {
    if (token.begin > done) fragments.push_back({kNoToken, text.substr(done, token.begin - done)});
    fragments.push_back({token.token, {}});
    done = token.begin + token.length;
  }
  if (done < text.size()) fragments.push_back({kNoToken, text.substr(done)});
  return fragments;
}

}  // namespace twostroke
