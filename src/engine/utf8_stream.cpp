#include "engine/utf8_stream.h"

#include <cstddef>
#include <cstdint>

namespace twostroke {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Lead {
  size_t length;                   // of the code point; 0: no code point starts so
  uint8_t second_min, second_max;  // excludes overlong forms, surrogates and what is past U+10FFFF
};

// Table 3-7 of the Unicode standard.
Lead lead_of(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Bytes at the start of `bytes` that are, or may become, one code point; at least one.
size_t valid_run(std::string_view bytes, const Lead& lead) {
  size_t run = 1;
  for (; run < lead.length && run < bytes.size(); ++run) {
    const auto byte = static_cast<uint8_t>(bytes[run]);
    const uint8_t lowest = run == 1 ? lead.second_min : 0x80;
    const uint8_t highest = run == 1 ? lead.second_max : 0xBF;
    if (byte < lowest || byte > highest) break;
  }
  return run;
}

}  // namespace

void Utf8Stream::append(std::string_view bytes, std::string& text) {
  pending_.append(bytes);
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const Lead lead = lead_of(static_cast<uint8_t>(rest.front()));
    const size_t run = valid_run(rest, lead);
    if (run == lead.length) {
      text.append(rest.substr(0, run));
    } else if (run == rest.size() && lead.length != 0) {
      break;  // may still be completed
    } else {
      text.append(kReplacement);
    }
    rest.remove_prefix(run);
  }
  pending_.erase(0, pending_.size() - rest.size());
}

void Utf8Stream::finish(std::string& text) {
  if (!pending_.empty()) text.append(kReplacement);
  pending_.clear();
}

}  // namespace twostroke
