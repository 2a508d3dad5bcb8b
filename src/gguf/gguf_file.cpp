#include "gguf/gguf_file.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "gguf/gguf_header.h"
#include "gguf/gguf_text.h"

namespace twostroke {

// Puts a GgufFile together from the headers of its parts.
class GgufAssembler {
 public:
  explicit GgufAssembler(const std::string& path) { file_.path_ = path; }

  Status add_part(std::span<const uint8_t> bytes, const std::string& part_path) {
    GgufHeader header = TRY(read_gguf_header(bytes, part_path));
    const int part = static_cast<int>(file_.headers_.size());
    if (part == 0) {
      file_.version_ = header.version;
      file_.entries_ = std::move(header.entries);
      for (size_t i = 0; i < file_.entries_.size(); ++i) {
        file_.entry_index_[file_.entries_[i].key] = static_cast<uint32_t>(i);
      }
    } else {
      TRY(check_part_number(header, part, part_path));
    }
    for (GgufTensor& tensor : header.tensors) {
      tensor.part = part;
      const auto index = static_cast<uint32_t>(file_.tensors_.size());
      if (!file_.tensor_index_.emplace(tensor.name, index).second) {
        return corrupt(part_path, tensor.name, "expected every tensor once, found it in two parts");
      }
      file_.tensor_bytes_ += tensor.bytes.size();
      file_.tensors_.push_back(tensor);
    }
    file_.headers_.push_back(header.bytes);
    file_.file_bytes_ += bytes.size();
    return {};
  }

  Status map_part(const std::string& part_path) {
    MappedFile mapping = TRY(MappedFile::open(part_path));
    const auto bytes = mapping.bytes();
    file_.mappings_.push_back(std::move(mapping));  // first: a view of it may be in an error's way
    return add_part(bytes, part_path);
  }

  // REQUIRES: the first part was added. 1 for a file that is whole.
  Result<int> num_parts() const {
    const int64_t count = TRY(file_.get_i64_or("split.count", 1));
    if (count < 0 || count > kMaxGgufParts) {
      return corrupt(file_.path_, "split.count",
                     fmt::format("expected at most {} parts, found {}", kMaxGgufParts, count));
    }
    return count <= 1 ? 1 : static_cast<int>(count);
  }

  // The siblings' names, from the first part's: PREFIX-00001-of-0000N.gguf.
  Status map_siblings(int num_parts) {
    const std::string suffix = fmt::format("-{:05}-of-{:05}.gguf", 1, num_parts);
    const std::string path = file_.path_;
    const int64_t number = TRY(file_.get_i64("split.no"));
    if (number != 0) {
      return corrupt(path, "split.no",
                     fmt::format("expected the first part (0), found part {}: open the file that "
                                 "ends in '{}'",
                                 number, suffix));
    }
    if (!path.ends_with(suffix)) {
      return corrupt(
          path, "split.count",
          fmt::format("expected a file name that ends in '{}', so that the other {} parts "
                      "can be found",
                      suffix, num_parts - 1));
    }
    const std::string prefix = path.substr(0, path.size() - suffix.size());
    for (int part = 1; part < num_parts; ++part) {
      TRY(map_part(fmt::format("{}-{:05}-of-{:05}.gguf", prefix, part + 1, num_parts)));
    }
    const int64_t expected = TRY(file_.get_i64_or("split.tensors.count", num_tensors()));
    if (expected != num_tensors()) {
      return corrupt(path, "split.tensors.count",
                     fmt::format("expected {} tensors in {} parts, found {}", expected, num_parts,
                                 num_tensors()));
    }
    file_.num_parts_ = num_parts;
    return {};
  }

  GgufFile take() { return std::move(file_); }

 private:
  static Error corrupt(const std::string& path, std::string_view subject,
                       const std::string& message) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("{}: {}: {}", path, gguf_quoted(subject), message),
                 std::string(subject)};
  }

  int64_t num_tensors() const { return static_cast<int64_t>(file_.tensors_.size()); }

  // Parts carry their own number and the count, as any integer type.
  Status check_part_number(const GgufHeader& header, int part, const std::string& part_path) {
    GgufFile reader;
    reader.path_ = part_path;
    for (const GgufEntry& entry : header.entries) {
      reader.entry_index_[entry.key] = static_cast<uint32_t>(reader.entries_.size());
      reader.entries_.push_back(entry);
    }
    const int64_t number = TRY(reader.get_i64("split.no"));
    const int64_t count = TRY(reader.get_i64("split.count"));
    const int64_t expected = TRY(file_.get_i64("split.count"));
    if (number != part || count != expected) {
      return corrupt(part_path, "split.no",
                     fmt::format("expected part {} of {}, found part {} of {}", part, expected,
                                 number, count));
    }
    return {};
  }

  GgufFile file_;
};

Result<GgufFile> GgufFile::open(const std::string& path) {
  GgufAssembler assembler(path);
  TRY(assembler.map_part(path));
  const int num_parts = TRY(assembler.num_parts());
  if (num_parts > 1) TRY(assembler.map_siblings(num_parts));
  return assembler.take();
}

Result<GgufFile> GgufFile::parse(std::span<const uint8_t> bytes, const std::string& name) {
  GgufAssembler assembler(name);
  TRY(assembler.add_part(bytes, name));
  const int num_parts = TRY(assembler.num_parts());
  if (num_parts > 1) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("{}: expected a whole file, found a split one of {} parts", name, num_parts),
        "split.count"};
  }
  return assembler.take();
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto found = tensor_index_.find(name);
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

Result<const GgufTensor*> GgufFile::get_tensor(std::string_view name) const {
  const GgufTensor* tensor = find_tensor(name);
  if (tensor != nullptr) return tensor;
  return Error{ErrorCode::kNotFound,
               fmt::format("{}: expected a tensor '{}', found none of that name", path_, name),
               std::string(name)};
}

std::string GgufFile::fingerprint() const {
  uint64_t hash = 0x9e3779b97f4a7c15U ^ file_bytes_;
  const auto mix = [&hash](uint64_t word) {
    hash = (hash ^ word) * 0xff51afd7ed558ccdU;
    hash ^= hash >> 32;
  };
  for (const auto& header : headers_) {
    mix(header.size());
    for (size_t i = 0; i < header.size(); i += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, header.data() + i, std::min(sizeof(word), header.size() - i));
      mix(word);
    }
  }
  return fmt::format("{:016x}", hash);
}

void GgufFile::release_pages() const {
  for (const MappedFile& mapping : mappings_) mapping.release();
}

}  // namespace twostroke
