// Frames as a capture file that tcpdump, tshark and Wireshark read: classic pcap with nanoseconds,
// link type Ethernet. One writer a file; one thread.
#pragma once

#include <cstdio>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace sy::sim {

class PcapWriter {
  public:
    PcapWriter() = default;
    ~PcapWriter();
    PcapWriter(const PcapWriter&) = delete;
    PcapWriter& operator=(const PcapWriter&) = delete;

    [[nodiscard]] Result<void> open(const std::string& path);
    /// `at_ns` is counted from any start. What cannot be written is reported by close().
    void write(Nanos at_ns, Octets frame);
    /// Flushes; an error when anything could not be written.
    [[nodiscard]] Result<void> close();

  private:
    std::FILE* file_ = nullptr;
    std::string path_;
    bool failed_ = false;
};

}  // namespace sy::sim
