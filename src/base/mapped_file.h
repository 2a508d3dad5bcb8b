// MappedFile: a whole file mapped read-only. Owns the mapping, not a copy; a file that shrinks
// while mapped is the operator's doing and ends in SIGBUS. Immutable after open: any thread may
// read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"

namespace twostroke {

class MappedFile {
 public:
  // kNotFound or kIo with the path and the system's reason. An empty file maps to an empty span.
  static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }

  // Hints; failures do not matter. will_need starts reading ahead, release lets the pages leave
  // memory.
  void will_need() const;
  void release() const;

 private:
  MappedFile(std::string path, const uint8_t* data, size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}

  std::string path_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace twostroke
