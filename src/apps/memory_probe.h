// The two limits that a step is held against, measured on the spot: how fast all threads together
// read memory, and how fast the model's own matrix kernel multiplies when nothing has to be
// fetched.
#pragma once

#include "base/result.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "model/linear.h"

namespace twostroke {

// Bytes per second of reading 256 MiB on huge pages, the best of `repetitions`.
Result<double> probe_read_bandwidth(ThreadPool& pool, int repetitions = 5);

// Multiply-accumulates per second of all threads on a piece of `linear` that stays in each core's
// cache.
double probe_matmul_rate(const Kernels& kernels, const Linear& linear, ThreadPool& pool);

}  // namespace twostroke
