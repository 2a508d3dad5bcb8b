#include "measure/workload/word_text.h"

#include <algorithm>

#include "base/check.h"
#include "base/philox.h"

namespace twostroke {
namespace {

constexpr const char* kCommonWords =
    "time year people way day man thing woman life child world school state family student group "
    "country problem hand part place case week company system program question work government "
    "number night point home water room mother area money story fact month lot right study book "
    "eye job word business issue side kind head house service friend father power hour game line "
    "end member law car city community name president team minute idea body information back "
    "parent "
    "face others level office door health person art war history party result change morning "
    "reason "
    "research girl guy moment air teacher force education foot boy age policy music market sense "
    "nation plan college interest death experience effect use class control field development role "
    "effort rate heart drug show leader light voice wife police mind price report decision son "
    "view "
    "town road arm difference value building action season society tax director position player "
    "record paper space ground form event official matter center couple site project activity star "
    "table need court oil situation cost industry figure street image phone data picture practice "
    "piece land product doctor wall news test movie north love support technology step baby "
    "computer "
    "type film tree source hair look window culture chance brother energy period course summer "
    "sea card model list color key map note rule goal food bank river stone bird fish green blue "
    "wind fire snow rain cloud sun moon earth field leaf root seed horse dog cat ship train "
    "engine wheel metal glass paper wood iron gold silver cotton salt sugar bread milk tea coffee "
    "small large long short high low early late open full hard easy new old good bad";

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    std::string word(text.substr(0, end));
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

const std::vector<std::string>& common_words() {
  static const std::vector<std::string> kWords = split(kCommonWords);
  return kWords;
}

WordText::WordText(std::vector<std::string> words) : words_(std::move(words)) {
  CHECK(!words_.empty());
}

std::string WordText::text(uint64_t seed, uint64_t stream, int count, int first) const {
  CHECK_GE(count, 0);
  CHECK_GE(first, 0);
  std::string out;
  out.reserve(static_cast<size_t>(count) * 7);
  const auto num_words = static_cast<double>(words_.size());
  for (int i = 0; i < count; ++i) {
    const uint64_t index = (stream << 24) + static_cast<uint64_t>(first) + static_cast<uint64_t>(i);
    if (i > 0) out += ' ';
    out += words_[static_cast<size_t>(philox_uniform(seed, index) * num_words)];
  }
  return out;
}

}  // namespace twostroke
