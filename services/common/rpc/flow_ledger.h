// The books of the taking end: who sends, what each may still send, which batches run and how the
// others ended.
#ifndef SERVICES_COMMON_RPC_FLOW_LEDGER_H_
#define SERVICES_COMMON_RPC_FLOW_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "proto/telemetry/v1/flow.pb.h"
#include "services/common/rpc/batch_result.h"
#include "services/common/rpc/credit_pool.h"
#include "services/common/rpc/server_stream.h"
#include "services/common/rpc/source_memory.h"

namespace nightjar::rpc {

// Sources that are remembered, beyond those that are connected or have work running.
inline constexpr size_t kSourcesRememberedMax = 256;

// Everything about one sender. Shared with the running batches, which may end after it is
// forgotten.
struct FlowSource {
  SourceMemory memory;
  CreditAccount credit;
  ServerStream* stream = nullptr;
  uint64_t last_used = 0;
};

// Writes on the streams itself: Have, Credit, Ack, Nack, Drain. Not thread-safe: its owner calls it
// with the mutex of the streams held. Streams that are attached outlive their attachment.
class FlowLedger {
 public:
  explicit FlowLedger(CreditAmount total) : pool_(total) {}

  // `stream` now stands for the source of a checked Hello; an older stream of it is closed.
  void Attach(ServerStream& stream, const telemetry::v1::Hello& hello);
  // The stream no longer stands for its source. What it did not use of its credit is free again;
  // running batches keep theirs. Does nothing for a stream that is not attached.
  void Detach(ServerStream& stream);
  bool attached(ServerStream& stream) const { return attached_.count(&stream) != 0; }
  size_t streams() const { return attached_.size(); }

  // The source of a batch that is to be worked on; null when it is known already (and answered), or
  // the stream is at its end or has broken the contract (and is closed).
  std::shared_ptr<FlowSource> Admit(ServerStream& stream, const telemetry::v1::Batch& batch,
                                    int64_t bytes);
  // A batch that was admitted has ended; any status but those of BatchResult: send it again.
  void End(FlowSource& source, uint64_t id, int64_t bytes, BatchResult result);
  // ServerStream::Owner::FillAck.
  bool FillAck(ServerStream& stream, telemetry::v1::Ack& ack) const;

  // False: grant no credit until true.
  void SetOpen(bool open);
  // Sends Drain to all; no credit is granted any more.
  void Drain();

  const CreditAmount& unused() const { return pool_.unused(); }
  const CreditAmount& unfinished() const { return pool_.unfinished(); }

 private:
  static void Answer(FlowSource& source, uint64_t id);
  std::shared_ptr<FlowSource> FindSource(const std::string& name);
  void GrantAll();

  bool open_ = true;
  bool draining_ = false;
  CreditPool pool_;
  std::map<std::string, std::shared_ptr<FlowSource>> sources_;
  std::map<ServerStream*, std::shared_ptr<FlowSource>> attached_;
  uint64_t uses_ = 0;
};

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_FLOW_LEDGER_H_
