#include "measure/workload/trace_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "measure/json_value.h"
#include "measure/workload/text_lines.h"

namespace twostroke {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kMaxTokens = 1 << 24;

Error bad_line(size_t line, std::string_view what) {
  return Error{ErrorCode::kInvalidArgument, fmt::format("trace line {}: {}", line, what), "trace"};
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '"')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '"')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  for (;;) {
    const size_t comma = line.find(',');
    cells.push_back(trim(line.substr(0, comma)));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

// Digits of a fixed width at `at`, which moves on.
bool read_digits(std::string_view text, size_t& at, size_t width, int& value) {
  if (at + width > text.size()) return false;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + width, value);
  at += width;
  return error == std::errc() && end == text.data() + at && value >= 0;
}

bool skip(std::string_view text, size_t& at, std::string_view any_of) {
  if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

struct CsvColumns {
  size_t time = 0, prompt = 0, output = 0;
};

Result<CsvColumns> find_columns(std::string_view header) {
  const std::vector<std::string_view> names = cells_of(header);
  const auto find = [&](std::initializer_list<std::string_view> known) {
    const auto it = std::find_first_of(names.begin(), names.end(), known.begin(), known.end());
    return static_cast<size_t>(it - names.begin());
  };
  const CsvColumns columns{find({"TIMESTAMP", "Timestamp", "timestamp"}),
                           find({"ContextTokens", "Request tokens", "input_length"}),
                           find({"GeneratedTokens", "Response tokens", "output_length"})};
  if (std::max({columns.time, columns.prompt, columns.output}) >= names.size()) {
    return bad_line(1, fmt::format("expected a header with TIMESTAMP, ContextTokens and "
                                   "GeneratedTokens (or Timestamp, Request tokens, Response "
                                   "tokens), found '{}'",
                                   header.substr(0, 200)));
  }
  return columns;
}

bool read_count(std::string_view text, int& count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() && count >= 0 &&
         count <= kMaxTokens;
}

Result<TraceRow> csv_row(const CsvColumns& columns, const TextLine& line) {
  const std::vector<std::string_view> cells = cells_of(line.text);
  if (cells.size() <= std::max({columns.time, columns.prompt, columns.output})) {
    return bad_line(line.number, fmt::format("{} cells, fewer than the header", cells.size()));
  }
  TraceRow row;
  const auto time = parse_trace_time(cells[columns.time]);
  if (!time.ok()) return bad_line(line.number, time.error().message);
  row.at_ns = *time;
  if (!read_count(cells[columns.prompt], row.prompt_tokens) ||
      !read_count(cells[columns.output], row.output_tokens)) {
    return bad_line(line.number, fmt::format("expected token counts, found '{}' and '{}'",
                                             cells[columns.prompt], cells[columns.output]));
  }
  return row;
}

Result<TraceRow> json_row(const TextLine& line) {
  const auto value = parse_json_text(line.text);
  if (!value.ok()) return bad_line(line.number, value.error().message);
  TraceRow row;
  const double time_ms = json_number(*value, "timestamp", kMaxTokens * 1e9);
  const int64_t prompt = json_int(*value, "input_length", -1);
  const int64_t output = json_int(*value, "output_length", -1);
  if (std::abs(time_ms) > 1e15) return bad_line(line.number, "expected a number 'timestamp' (ms)");
  if (prompt < 0 || prompt > kMaxTokens || output < 0 || output > kMaxTokens) {
    return bad_line(line.number, "expected token counts 'input_length' and 'output_length'");
  }
  row.at_ns = static_cast<int64_t>(time_ms * 1e6);
  row.prompt_tokens = static_cast<int>(prompt);
  row.output_tokens = static_cast<int>(output);
  for (const Json& id : json_member(*value, "hash_ids")) {
    if (!id.is_number_integer()) return bad_line(line.number, "hash_ids are integers");
    row.hash_ids.push_back(id.get<int64_t>());
  }
  return row;
}

}  // namespace

Result<int64_t> parse_trace_time(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && std::abs(seconds) < 9e9) {
    return static_cast<int64_t>(seconds * 1e9);
  }
  const Error bad{ErrorCode::kInvalidArgument,
                  fmt::format("expected a date and time or seconds, found '{}'", text), "trace"};
  size_t at = 0;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!read_digits(text, at, 4, year) || !skip(text, at, "-") || !read_digits(text, at, 2, month) ||
      !skip(text, at, "-") || !read_digits(text, at, 2, day) || !skip(text, at, " T") ||
      !read_digits(text, at, 2, hour) || !skip(text, at, ":") ||
      !read_digits(text, at, 2, minute) || !skip(text, at, ":") ||
      !read_digits(text, at, 2, second)) {
    return bad;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1900 || year > 2200 || hour > 23 || minute > 59 || second > 60)
    return bad;
  int64_t ns = 0;
  if (skip(text, at, ".")) {
    int64_t unit = kNsPerSecond / 10;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      ns += (text[at] - '0') * unit;
    }
  }
  // One zone for the whole file: what it is does not matter.
  const std::string_view zone = text.substr(at);
  if (!zone.empty() && zone != "Z" && zone.front() != '+' && zone.front() != '-') return bad;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * kNsPerSecond + ns;
}

Result<std::vector<TraceRow>> parse_trace(std::string_view text) {
  const std::vector<TextLine> lines = text_lines(text);
  if (lines.empty()) return Error{ErrorCode::kInvalidArgument, "the trace is empty", "trace"};
  const bool is_json = lines.front().text.front() == '{';
  std::vector<TraceRow> rows;
  CsvColumns columns;
  if (!is_json) columns = TRY(find_columns(lines.front().text));
  for (size_t i = is_json ? 0 : 1; i < lines.size(); ++i) {
    rows.push_back(is_json ? TRY(json_row(lines[i])) : TRY(csv_row(columns, lines[i])));
  }
  if (rows.empty()) return bad_line(1, "a header and no rows");
  std::stable_sort(rows.begin(), rows.end(),
                   [](const TraceRow& a, const TraceRow& b) { return a.at_ns < b.at_ns; });
  const int64_t first_ns = rows.front().at_ns;
  for (TraceRow& row : rows) row.at_ns -= first_ns;
  return rows;
}

}  // namespace twostroke
