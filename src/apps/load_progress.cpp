#include "apps/load_progress.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "apps/report.h"
#include "base/clock.h"

namespace twostroke {
namespace {

constexpr auto kTerminalInterval = std::chrono::milliseconds(200);
constexpr auto kPlainInterval = std::chrono::seconds(10);
constexpr const char* kPrefillColor = "\033[34m";
constexpr const char* kDecodeColor = "\033[32m";
constexpr const char* kFailColor = "\033[31m";

bool stderr_colors_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return stderr_is_terminal() && (no_color == nullptr || *no_color == '\0');
}

}  // namespace

std::string progress_text(const LoadProgress& progress, const LoadRates& rates, bool colors) {
  const auto paint = [&](const char* color, const std::string& text) {
    return colors ? fmt::format("{}{}\033[0m", color, text) : text;
  };
  if (progress.warming_up) return "warming up";
  std::string out = fmt::format("{:6.1f} s  {}/{} done", rates.elapsed_s, progress.completed.load(),
                                progress.planned.load());
  if (progress.failed > 0) {
    out += "  " + paint(kFailColor, fmt::format("{} failed", progress.failed.load()));
  }
  if (progress.held > 0) out += fmt::format("  {} held", progress.held.load());
  out += "  " + paint(kPrefillColor,
                      fmt::format("{} waiting for a first token, {:.0f} tok/s in, ttft {:.0f} ms",
                                  progress.waiting.load(), rates.prompt_tokens_per_s,
                                  progress.last_ttft_ms.load()));
  out += "  " + paint(kDecodeColor, fmt::format("{} decoding, {:.0f} tok/s out, itl {:.1f} ms",
                                                progress.decoding.load(), rates.output_tokens_per_s,
                                                progress.last_itl_ms.load()));
  return out;
}

LoadProgressLine::LoadProgressLine(const LoadProgress& progress, bool shown) : progress_(progress) {
  if (shown) thread_ = std::thread([this] { loop(); });
}

LoadProgressLine::~LoadProgressLine() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (stderr_is_terminal()) fmt::print(stderr, "\r\033[K");
}

void LoadProgressLine::loop() {
  const SteadyClock clock;
  const bool terminal = stderr_is_terminal();
  const bool colors = stderr_colors_wanted();
  const int64_t begin_ns = clock.now_ns();
  int64_t last_ns = begin_ns;
  int64_t last_in = 0;
  int64_t last_out = 0;
  std::unique_lock lock(mutex_);
  const auto interval = terminal ? std::chrono::nanoseconds(kTerminalInterval)
                                 : std::chrono::nanoseconds(kPlainInterval);
  while (!wake_.wait_for(lock, interval, [this] { return ended_; })) {
    const int64_t now_ns = clock.now_ns();
    const double seconds = static_cast<double>(now_ns - last_ns) / 1e9;
    const int64_t in = progress_.prompt_tokens;
    const int64_t out = progress_.output_tokens;
    const LoadRates rates{static_cast<double>(now_ns - begin_ns) / 1e9,
                          static_cast<double>(in - last_in) / seconds,
                          static_cast<double>(out - last_out) / seconds};
    const std::string text = progress_text(progress_, rates, colors);
    fmt::print(stderr, "{}{}{}", terminal ? "\r" : "", text, terminal ? "\033[K" : "\n");
    std::fflush(stderr);
    last_ns = now_ns;
    last_in = in;
    last_out = out;
  }
}

}  // namespace twostroke
