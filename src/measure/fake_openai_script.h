// A scripted OpenAI-compatible server: known delays, words are tokens. Test code.
#pragma once

#include <string>
#include <vector>

#include "measure/scripted_server.h"

namespace twostroke {

struct FakeOpenAi {
  double ttft_ms = 5;
  double itl_ms = 2;  // per token
  int tokens_per_chunk = 1;
  bool role_chunk = true;
  bool continuous_usage = true;  // when asked for
  bool has_tokenize = true;
  bool has_usage = true;
  int template_tokens = 7;  // of a chat prompt, beside its words
  int cached_tokens = 0;
  int stop_after = 0;  // ends early after so many tokens in spite of ignore_eos; 0: does not

  static int count_words(const std::string& text) {
    int words = 0;
    bool inside = false;
    for (const char c : text) {
      const bool blank = c == ' ' || c == '\n';
      words += !blank && !inside ? 1 : 0;
      words += c == '\n' ? 1 : 0;  // a line break is a token
      inside = !blank;
    }
    return words;
  }

  std::vector<ScriptedStep> operator()(const ScriptedRequest& request) const {
    if (request.path == "/v1/models") {
      return {{.bytes = whole_reply(200, R"({"data":[{"id":"fake"}]})")}};
    }
    if (request.path == "/tokenize" && has_tokenize) return tokenize(request.body);
    if (request.path.ends_with("/completions")) return generate(request.body);
    return {{.bytes = whole_reply(404, R"({"error":{"message":"nothing here"}})")}};
  }

  static std::vector<ScriptedStep> tokenize(const Json& body) {
    Json tokens = Json::array();
    for (int i = 0; i < count_words(json_string(body, "content")); ++i) tokens.push_back(i);
    return {{.bytes = whole_reply(200, json_line({{"tokens", std::move(tokens)}}))}};
  }

  int prompt_tokens(const Json& body) const {
    int tokens = template_tokens;
    for (const Json& message : json_member(body, "messages")) {
      tokens += count_words(json_string(message, "content"));
    }
    return tokens + count_words(json_string(body, "prompt"));
  }

  Json usage(const Json& body, int completion) const {
    return {{"prompt_tokens", prompt_tokens(body)},
            {"completion_tokens", completion},
            {"prompt_tokens_details", {{"cached_tokens", cached_tokens}}}};
  }

  // Step 0 is the head, with the role chunk; then one step per chunk; the last has the end.
  std::vector<ScriptedStep> generate(const Json& body) const {
    const bool chat = body.contains("messages");
    const int wanted = static_cast<int>(json_int(body, "max_tokens", 16));
    const int total = stop_after > 0 ? std::min(stop_after, wanted) : wanted;
    const bool counts = continuous_usage && json_member(json_member(body, "stream_options"),
                                                        "continuous_usage_stats") == Json(true);
    const auto choice = [&](Json text, const char* finish) {
      Json out = {{"index", 0}, {"finish_reason", finish == nullptr ? Json() : Json(finish)}};
      out[chat ? "delta" : "text"] = std::move(text);
      return Json{{"choices", Json::array({std::move(out)})}};
    };
    std::vector<ScriptedStep> steps = {{.bytes = stream_head()}};
    if (chat && role_chunk) {
      steps[0].bytes +=
          event_of(json_line(choice({{"role", "assistant"}, {"content", ""}}, nullptr)));
    }
    for (int done = 0; done < total;) {
      const int now = std::min(tokens_per_chunk, total - done);
      done += now;
      std::string text;
      for (int i = 0; i < now; ++i) text += " word";
      Json chunk = choice(chat ? Json{{"content", text}} : Json(text),
                          done == total ? (total < wanted ? "stop" : "length") : nullptr);
      if (counts) chunk["usage"] = usage(body, done);
      steps.push_back(
          {.at_ms = ttft_ms + itl_ms * (done - 1), .bytes = event_of(json_line(chunk))});
    }
    std::string end;
    if (has_usage) {
      end = event_of(json_line({{"choices", Json::array()}, {"usage", usage(body, total)}}));
    }
    steps.back().bytes += end + stream_end();
    return steps;
  }
};

// The words of a request's prompt, all messages together.
inline std::string prompt_of(const Json& body) {
  std::string text = json_string(body, "prompt");
  for (const Json& message : json_member(body, "messages")) {
    text += (text.empty() ? "" : " ") + json_string(message, "content");
  }
  return text;
}

}  // namespace twostroke
