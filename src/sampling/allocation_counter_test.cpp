// Counts every operator new of sampling_test. In a file of its own, so that no call to it is
// inlined.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace twostroke {
extern std::atomic<int64_t> num_allocations;
std::atomic<int64_t> num_allocations{0};
}  // namespace twostroke

void* operator new(std::size_t size) {
  ++twostroke::num_allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();  // safe: what operator new must do
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++twostroke::num_allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
