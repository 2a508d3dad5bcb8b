// ProgressSink: counts what a response brings, for whoever watches the run, on its way to the
// reader.
#pragma once

#include "measure/client_record.h"
#include "measure/generation_reader.h"
#include "measure/load_run.h"

namespace twostroke {

class ProgressSink final : public ResponseSink {
 public:
  ProgressSink(GenerationReader& reader, const ClientRecord& record, LoadProgress& progress)
      : reader_(reader), record_(record), progress_(progress) {}

  void on_connected(int64_t now_ns, bool reused) override { reader_.on_connected(now_ns, reused); }
  void on_head(const HttpHead& head, int64_t now_ns) override { reader_.on_head(head, now_ns); }
  bool on_body(std::string_view bytes, int64_t now_ns) override;
  // The response is over: the request decodes no more.
  void finish();

 private:
  GenerationReader& reader_;
  const ClientRecord& record_;
  LoadProgress& progress_;
  size_t seen_chunks_ = 0;
};

}  // namespace twostroke
