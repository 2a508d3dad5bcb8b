#include "model/decoder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "model/registry.h"

namespace twostroke {
namespace {

constexpr int kHeadChunksPerThread = 16;
// Enough for both ways of sharing work.
constexpr int kWarmUpRows = 2 * kFewRows;

}  // namespace

Decoder::Decoder(DecoderSpec spec, DecoderOptions options, const Kernels& kernels, ThreadPool& pool)
    : spec_(std::move(spec)),
      options_(options),
      kernels_(kernels),
      pool_(pool),
      max_context_(options.max_context > 0 ? std::min(options.max_context, spec_.context_length)
                                           : spec_.context_length),
      rope_(spec_.rope),
      rope_local_(spec_.rope_local) {}

Result<std::unique_ptr<Decoder>> Decoder::load(const GgufFile& file, const DecoderOptions& options,
                                               const Kernels& kernels, ThreadPool& pool) {
  DecoderSpec spec = TRY(read_decoder_spec(file));
  std::unique_ptr<Decoder> decoder(new Decoder(std::move(spec), options, kernels, pool));
  decoder->weights_ = TRY(DecoderWeights::load(file, decoder->spec_, options.exact, pool));
  decoder->kv_ = TRY(KvStorage::allocate(decoder->spec_, options.num_blocks, options.exact));
  const size_t max_rows = static_cast<size_t>(options.max_step_tokens);
  decoder->workspace_ =
      TRY(Workspace::allocate(decoder->spec_, decoder->weights_, options.max_step_tokens,
                              decoder->max_context_, pool.num_threads()));
  decoder->qkv_stride_ = static_cast<size_t>(decoder->layer_weights(0).qkv.num_columns());
  decoder->runs_.reserve(max_rows);
  decoder->row_run_.reserve(max_rows);
  const size_t max_splits = static_cast<size_t>(num_kv_splits(decoder->max_context_));
  const size_t heads = static_cast<size_t>(decoder->spec_.num_kv_heads);
  decoder->units_.reserve((kFewRows + kMaxSplitRows * max_splits) * heads);
  decoder->split_heads_.reserve(kMaxSplitRows * heads);
  if (!options.exact) decoder->warm_up();
  return decoder;
}

// Computes a few tokens that nobody asked for, so that the system hands out the memory of buffers
// and of each layer's first KV blocks now and not during the first request. What they leave in the
// blocks is finite, and nobody's block table holds it as computed.
void Decoder::warm_up() {
  const int rows = std::min(
      {kWarmUpRows, options_.max_step_tokens, max_context_, options_.num_blocks * kKvBlockTokens});
  const std::vector<TokenId> tokens(static_cast<size_t>(rows), 0);
  std::vector<int32_t> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), 0);
  std::vector<BlockId> table(static_cast<size_t>((rows + kKvBlockTokens - 1) / kKvBlockTokens));
  std::iota(table.begin(), table.end(), 0);
  std::vector<float> logits(static_cast<size_t>(spec_.vocab_size));
  for (const int count : {rows, 1}) {
    const SequenceView sequence{0, count, count, table};
    const int32_t last_row = count - 1;
    const size_t num_tokens = static_cast<size_t>(count);
    forward({std::span(tokens).first(num_tokens),
             std::span(positions).first(num_tokens),
             {&sequence, 1},
             {&last_row, 1}},
            logits);
  }
}

double Decoder::kv_bytes_read(double context) const {
  double keys = 0;
  for (int layer = 0; layer < spec_.num_layers; ++layer) {
    const int window = spec_.window(layer);
    keys += window > 0 ? std::min(context, double(window)) : context;
  }
  const double bytes_per_key = double(KvStorage::bytes_per_block(spec_, options_.exact)) /
                               (double(kKvBlockTokens) * spec_.num_layers);
  return keys * bytes_per_key;
}

void Decoder::check_batch(const Batch& batch) const {
  CHECK_EQ(batch.token_ids.size(), batch.positions.size());
  CHECK_GE(batch.token_ids.size(), 1U);
  CHECK_LE(batch.token_ids.size(), static_cast<size_t>(options_.max_step_tokens));
  int row = 0;
  for (const SequenceView& sequence : batch.sequences) {
    CHECK_EQ(sequence.first_row, row);
    CHECK_GE(sequence.num_tokens, 1);
    CHECK_LE(sequence.context_length, max_context_);
    const size_t blocks =
        static_cast<size_t>((sequence.context_length + kKvBlockTokens - 1) / kKvBlockTokens);
    CHECK_GE(sequence.block_table.size(), blocks);
    for (const BlockId block : sequence.block_table.first(blocks)) {
      CHECK(block >= 0 && block < options_.num_blocks);
    }
    row += sequence.num_tokens;
  }
  CHECK_EQ(static_cast<size_t>(row), batch.token_ids.size());
  for (const TokenId token : batch.token_ids) CHECK(token >= 0 && token < spec_.vocab_size);
}

void Decoder::prepare(const Batch& batch) {
  check_batch(batch);
  batch_ = &batch;
  num_rows_ = static_cast<int>(batch.token_ids.size());
  runs_.clear();
  row_run_.clear();
  int longest = 0;
  for (size_t i = 0; i < batch.sequences.size(); ++i) {
    const SequenceView& sequence = batch.sequences[i];
    runs_.push_back({static_cast<int>(i), sequence.first_row, sequence.num_tokens,
                     sequence.context_length - sequence.num_tokens});
    row_run_.insert(row_run_.end(), static_cast<size_t>(sequence.num_tokens), static_cast<int>(i));
    longest = std::max(longest, sequence.context_length);
  }
  rope_.ensure(longest);
  if (spec_.rope_local.rope_dim > 0) rope_local_.ensure(longest);
}

// Cuts one run's attention into one unit per split and head.
void Decoder::add_split_units(const RowRun& run, int num_splits, size_t& used_partials) {
  for (int kv_head = 0; kv_head < spec_.num_kv_heads; ++kv_head) {
    float* partials = workspace_.partials + used_partials;
    used_partials += partials_floats(num_splits, run.num_rows, spec_.group(), spec_.head_dim);
    for (int split = 0; split < num_splits; ++split) {
      units_.push_back({run, kv_head, split, split + 1, partials});
    }
    split_heads_.push_back({run, kv_head, 0, num_splits, partials});
  }
}

// Whole (sequence, head) units where they keep all threads busy; few rows over a long context are
// split.
void Decoder::prepare_attention_units() {
  units_.clear();
  split_heads_.clear();
  size_t used_partials = 0;
  const bool split = num_rows_ <= kMaxSplitRows && pool_.num_threads() > 1;
  for (const RowRun& run : runs_) {
    const int num_splits = num_kv_splits(run.first_position + run.num_rows);
    if (split && num_splits > 1) {
      add_split_units(run, num_splits, used_partials);
      continue;
    }
    for (int kv_head = 0; kv_head < spec_.num_kv_heads; ++kv_head) {
      units_.push_back({run, kv_head, 0, num_splits, nullptr});
    }
  }
}

// logits: [num_logits, vocab]
void Decoder::run_head(std::span<float> logits) {
  const Linear& head = weights_.head();
  const int num_logits = static_cast<int>(batch_->logits_rows.size());
  const size_t vocab_size = static_cast<size_t>(spec_.vocab_size);
  CHECK_EQ(logits.size(), static_cast<size_t>(num_logits) * vocab_size);
  if (num_logits == 0) return;
  for (int i = 0; i < num_logits; ++i) {
    normalize_row(x_row(batch_->logits_rows[static_cast<size_t>(i)]), weights_.output_norm(), head,
                  workspace_.head, i);
  }
  // A vocabulary that ends inside a panel: that panel goes to a buffer with room for all 16 rows.
  const int whole_panels = spec_.vocab_size / kPanelRows;
  const int chunks = std::min(head.num_panels, pool_.num_threads() * kHeadChunksPerThread);
  pool_.parallel_for(chunks, [&](int chunk, int worker) {
    uint8_t* scratch = workspace_.workers[static_cast<size_t>(worker)].linear;
    const int begin = static_cast<int>(int64_t{head.num_panels} * chunk / chunks);
    const int end = static_cast<int>(int64_t{head.num_panels} * (chunk + 1) / chunks);
    const int whole_end = std::min(end, whole_panels);
    apply_linear(kernels_, head, begin, whole_end, workspace_.head, 0, num_logits, logits.data(),
                 vocab_size, scratch);
    if (whole_end == end) return;
    apply_linear(kernels_, head, whole_panels, end, workspace_.head, 0, num_logits,
                 workspace_.head_tail - whole_panels * kPanelRows, kPanelRows, scratch);
  });
  const size_t tail = vocab_size - static_cast<size_t>(whole_panels * kPanelRows);
  for (size_t i = 0; tail > 0 && i < static_cast<size_t>(num_logits); ++i) {
    std::copy_n(workspace_.head_tail + i * kPanelRows, tail,
                logits.data() + (i + 1) * vocab_size - tail);
  }
}

bool Decoder::should_abort() const {
  return batch_->abort != nullptr && batch_->abort->should_abort();
}

void Decoder::write_hidden() {
  const auto hidden = static_cast<size_t>(spec_.hidden_size);
  CHECK_EQ(batch_->hidden.size(), batch_->hidden_rows.size() * hidden);
  for (size_t i = 0; i < batch_->hidden_rows.size(); ++i) {
    kernels_.vector.rms_norm(x_row(batch_->hidden_rows[i]), weights_.output_norm().data(),
                             spec_.hidden_size, spec_.rms_eps, &batch_->hidden[i * hidden]);
  }
}

bool Decoder::forward(const Batch& batch, std::span<float> logits) {
  const int64_t start_ns = clock_.now_ns();
  prepare(batch);
  pool_.begin_step();
  bool finished = false;
  if (num_rows_ <= kFewRows) {
    prepare_attention_units();
    finished = run_few_rows();
  } else {
    finished = run_many_rows();
  }
  const int64_t head_ns = clock_.now_ns();
  if (finished) {
    write_hidden();
    run_head(logits);
  }
  pool_.end_step();
  const int64_t end_ns = clock_.now_ns();
  times_ = {.total_ns = end_ns - start_ns, .head_ns = end_ns - head_ns};
  batch_ = nullptr;
  return finished;
}

}  // namespace twostroke
