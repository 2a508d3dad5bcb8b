// Our side of compare_with_jinja2.py and check_anatomy.py: one JSON object a line in, one out. Not
// a test by itself.
//   in:  {"source", "bos_token", "eos_token", "now": seconds since 1970 (UTC), "request": {…},
//   "shaped": bool}
//        shaped: messages are brought into the template's shape, as the server does; else it gets
//        them verbatim
//   out: {"text"} or {"error"}; with "anatomy": true in, also "spans": [{source, role, label,
//   text}],
//        "how" they were found, and for each GGUF file named on the command line, how many tokens
//        of its tokenizer each span has: "tokens": [[…], …], "num_tokens": […]
#include <ctime>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "gguf/gguf_file.h"
#include "prompt/chat_template.h"
#include "prompt/text_spans.h"
#include "tokenizer/tokenizer.h"

namespace twostroke {
namespace {

using Json = nlohmann::ordered_json;

using Tokenizers = std::vector<std::unique_ptr<Tokenizer>>;

Result<ChatTemplate> compile(const Json& job) {
  const auto now_s = job.at("now").get<std::time_t>();
  const LocalTime now = [now_s] {
    std::tm time{};
    gmtime_r(&now_s, &time);
    return time;
  };
  return ChatTemplate::create(job.at("source").get<std::string>(),
                              job.at("bos_token").get<std::string>(),
                              job.at("eos_token").get<std::string>(), now);
}

void add_tokens(const Tokenizer& tokenizer, std::string_view text,
                const std::vector<TextSpan>& spans, Json& reply) {
  const std::vector<TokenId> tokens = tokenizer.encode(text, {.parse_special = true});
  std::vector<std::string> spellings;
  for (const TokenId token : tokens) spellings.emplace_back(tokenizer.token_bytes(token));
  reply["tokens"].push_back(count_tokens(spans, align_tokens(text, spellings)));
  reply["num_tokens"].push_back(tokens.size());
}

void add_anatomy(const ChatTemplate& compiled, const Json& request, const Tokenizers& tokenizers,
                 Json& reply) {
  const auto text = reply["text"].get<std::string>();
  TraceMethod how = TraceMethod::kSearched;
  const std::vector<TextSpan> spans = trace_spans(compiled, request, text, {}, &how);
  reply["how"] = static_cast<int>(how);
  reply["spans"] = Json::array();
  size_t at = 0;
  for (const TextSpan& span : spans) {
    reply["spans"].push_back({{"source", span.source},
                              {"role", span.role},
                              {"label", span.label},
                              {"characters", span.num_characters},
                              {"text", text.substr(at, span.num_bytes)}});
    at += span.num_bytes;
  }
  for (const auto& tokenizer : tokenizers) add_tokens(*tokenizer, text, spans, reply);
}

Result<Json> answer(const Json& job, const Tokenizers& tokenizers) {
  const ChatTemplate compiled = TRY(compile(job));
  const Json& request = job.at("request");
  Json reply;
  reply["text"] = TRY(job.at("shaped").get<bool>() ? compiled.render(request)
                                                   : compiled.render_verbatim(request));
  if (job.value("anatomy", false)) add_anatomy(compiled, request, tokenizers, reply);
  return reply;
}

Result<Tokenizers> load_tokenizers(std::span<char*> paths) {
  Tokenizers tokenizers;
  for (const char* path : paths) {
    const auto file = TRY(GgufFile::open(path));
    tokenizers.push_back(TRY(Tokenizer::load(file)));
  }
  return tokenizers;
}

}  // namespace
}  // namespace twostroke

int main(int argc, char** argv) {
  const auto tokenizers =
      twostroke::load_tokenizers(std::span(argv, static_cast<size_t>(argc)).subspan(1));
  if (!tokenizers.ok()) {
    std::cerr << tokenizers.error().message << '\n';
    return 1;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto job = nlohmann::ordered_json::parse(line);
    const auto reply = twostroke::answer(job, *tokenizers);
    nlohmann::ordered_json out;
    if (reply.ok()) {
      out = *reply;
    } else {
      out["error"] = reply.error().message;
    }
    std::cout << out.dump() << '\n' << std::flush;
  }
  return 0;
}
