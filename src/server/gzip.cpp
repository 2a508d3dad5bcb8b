#include "server/gzip.h"

#include <boost/beast/zlib/inflate_stream.hpp>

namespace twostroke {
namespace {

constexpr size_t kHeaderBytes = 10;
constexpr size_t kTrailerBytes = 8;  // CRC-32 and length, little endian

Error not_gzip(const char* what) {
  return Error{ErrorCode::kInvalidArgument, std::string("not a gzip member: ") + what, "gzip"};
}

}  // namespace

Result<std::string> gunzip(std::span<const unsigned char> packed, size_t num_bytes) {
  if (packed.size() < kHeaderBytes + kTrailerBytes) return not_gzip("too short");
  if (packed[0] != 0x1f || packed[1] != 0x8b || packed[2] != 8) return not_gzip("its first bytes");
  if (packed[3] != 0) return not_gzip("it has optional fields");
  std::string out(num_bytes, '\0');
  boost::beast::zlib::inflate_stream stream;
  boost::beast::zlib::z_params params;
  params.next_in = packed.data() + kHeaderBytes;
  params.avail_in = packed.size() - kHeaderBytes - kTrailerBytes;
  params.next_out = out.data();
  params.avail_out = out.size();
  boost::system::error_code error;
  stream.write(params, boost::beast::zlib::Flush::finish, error);
  if (error != boost::beast::zlib::error::end_of_stream || params.avail_out != 0) {
    return not_gzip("its content does not unpack to the expected size");
  }
  return out;
}

}  // namespace twostroke
