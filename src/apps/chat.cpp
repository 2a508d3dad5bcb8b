// `twostroke chat`: a conversation in the terminal. Prefill shows its progress when it takes a
// while, the answer streams, and one quiet line says what both phases took. Ctrl-C stops the
// answer, Ctrl-D leaves.
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/local_session.h"
#include "apps/model_paths.h"
#include "apps/options.h"
#include "apps/report.h"
#include "apps/seed.h"
#include "prompt/builtin_templates.h"

namespace twostroke {
namespace {

constexpr int64_t kShowProgressAfterNs = 500'000'000;
constexpr int kBarWidth = 30;

std::atomic<bool> interrupted{false};

void on_interrupt(int) {
  interrupted.store(true);
}

// Without SA_RESTART, so that Ctrl-C also ends a read of the next line.
void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
}

class ChatPrinter {
 public:
  ChatPrinter(const Clock& clock, bool terminal) : clock_(clock), terminal_(terminal) {}

  void start() {
    start_ns_ = clock_.now_ns();
    shows_bar_ = false;
  }
  void progress(const ProgressEvent& event) {
    if (!terminal_ || clock_.now_ns() - start_ns_ < kShowProgressAfterNs) return;
    const int filled = event.total > 0 ? kBarWidth * event.processed / event.total : 0;
    fmt::print("\r\033[2mreading {:>3.0f} % [{:#<{}}{:.<{}}] {}/{} tokens\033[0m",
               100.0 * event.processed / std::max(1, event.total), "", filled, "",
               kBarWidth - filled, event.processed, event.total);
    std::fflush(stdout);
    shows_bar_ = true;
  }
  void token(const TokenEvent& event) {
    clear_bar();
    fmt::print("{}", event.text);
    std::fflush(stdout);
  }
  void end(const RequestSummary& summary) {
    clear_bar();
    const bool color = colors_wanted();
    fmt::print("\n{}{}{}\n\n", color ? "\033[2m" : "", phases_line(summary),
               color ? "\033[0m" : "");
  }

 private:
  void clear_bar() {
    if (shows_bar_) fmt::print("\r\033[K");
    shows_bar_ = false;
  }

  const Clock& clock_;
  bool terminal_;
  bool shows_bar_ = false;
  int64_t start_ns_ = 0;
};

// One line of input; false at the end (Ctrl-D). Ctrl-C at the prompt gives an empty line.
bool read_line(std::string& line) {
  std::cin.clear();
  clearerr(stdin);
  if (std::getline(std::cin, line)) return true;
  if (!interrupted.exchange(false)) return false;
  std::cin.clear();
  clearerr(stdin);
  fmt::print("\n");
  line.clear();
  return true;
}

Status answer_turn(LocalSession& session, const ChatOptions& options,
                   nlohmann::ordered_json& messages, ChatPrinter& printer) {
  const LoadedModel& model = session.model();
  const std::string text =
      TRY(model.chat_template->render(nlohmann::ordered_json{{"messages", messages}}));
  std::vector<TokenId> prompt =
      model.tokenizer->encode(text, {.add_special = false, .parse_special = true});
  GenerationOptions generation = options.generation;
  if (!generation.seed_given) generation.seed = fresh_seed();
  printer.start();
  interrupted.store(false);
  AnswerListener listener;
  listener.on_progress = [&](const ProgressEvent& event) { printer.progress(event); };
  listener.on_token = [&](const TokenEvent& event) { printer.token(event); };
  listener.should_stop = [] { return interrupted.load(); };
  const Answer answer = TRY(session.answer(std::move(prompt), generation, listener));
  interrupted.store(false);
  printer.end(answer.summary);
  messages.push_back({{"role", "assistant"}, {"content", answer.text}});
  return {};
}

Status chat(const ChatOptions& options) {
  const bool terminal = stdout_is_terminal();
  const auto session = TRY(LocalSession::create(options.model, LoadText::kTokenizerAndTemplate,
                                                [](const std::string&) {}));
  if (!session->model().chat_template) return no_chat_template_error();
  if (terminal) {
    fmt::print("{} · loaded in {:.0f} ms · Ctrl-C stops an answer, Ctrl-D leaves\n\n",
               model_id_of(session->model().path), double(session->model().load_ns) / 1e6);
  }
  catch_interrupts();
  nlohmann::ordered_json messages = nlohmann::ordered_json::array();
  if (!options.system.empty()) {
    messages.push_back({{"role", "system"}, {"content", options.system}});
  }
  ChatPrinter printer(session->clock(), terminal);
  for (std::string line;;) {
    if (terminal) {
      fmt::print("> ");
      std::fflush(stdout);
    }
    if (!read_line(line)) break;
    if (line.empty()) continue;
    messages.push_back({{"role", "user"}, {"content", line}});
    const Status status = answer_turn(*session, options, messages, printer);
    if (!status.ok()) {
      // The turn is taken back, so that the conversation can go on.
      report_failure(status.error());
      messages.erase(messages.size() - 1);
    }
  }
  if (terminal) fmt::print("\n");
  return {};
}

}  // namespace

int run_chat(const ChatOptions& options) {
  const Status status = chat(options);
  return status.ok() ? 0 : report_failure(status.error());
}

}  // namespace twostroke
