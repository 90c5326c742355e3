#include "io/sim/pcap.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace sy::sim {

PcapWriter::~PcapWriter() {
    (void)close();
}

Result<void> PcapWriter::open(const std::string& path) {
    path_ = path;
    failed_ = false;
    file_ = std::fopen(path.c_str(), "wb");
    if (file_ == nullptr) {
        return fail("cannot write '" + path + "': " + std::strerror(errno));
    }
    // Magic of nanosecond files, version 2.4, zone 0, accuracy 0, snap length, Ethernet.
    const std::array<uint32_t, 6> header{0xa1b23c4d, 2 | 4U << 16, 0, 0, 262'144, 1};
    failed_ = std::fwrite(header.data(), sizeof header, 1, file_) != 1;
    return {};
}

void PcapWriter::write(Nanos at_ns, Octets frame) {
    if (file_ == nullptr) {
        return;
    }
    const auto bytes = static_cast<uint32_t>(frame.size());
    const std::array<uint32_t, 4> record{static_cast<uint32_t>(at_ns / second_ns),
                                         static_cast<uint32_t>(at_ns % second_ns), bytes, bytes};
    failed_ = failed_ || std::fwrite(record.data(), sizeof record, 1, file_) != 1 ||
              (bytes > 0 && std::fwrite(frame.data(), bytes, 1, file_) != 1);
}

Result<void> PcapWriter::close() {
    if (file_ == nullptr) {
        return {};
    }
    const bool flushed = std::fclose(std::exchange(file_, nullptr)) == 0;
    if (failed_ || !flushed) {
        return fail("cannot write all of '" + path_ + "'");
    }
    return {};
}

}  // namespace sy::sim
