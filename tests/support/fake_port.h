// A packet port for tests: frames come from inject(), what is sent lies in sent(). Buffers have
// exactly their size, so a sanitizer sees every octet read or written beside them; those that are
// not given back are counted. Completes checksums and cuts TSO frames as a device would, and
// checks that it is only asked for what info() offers. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "io/tcpip/port.h"

namespace sy::tcpip {

class FakePort final : public PacketPort {
  public:
    using Bytes = std::vector<uint8_t>;
    static constexpr uint32_t unlimited = ~uint32_t{0};

    FakePort() { info_.mac = {0x02, 0, 0, 0, 0, 0x01}; }
    explicit FakePort(const PortInfo& info) : info_(info) {}
    ~FakePort() override {
        for (const RxFrame& frame : waiting_) {
            free_buffer(frame.buffer);
        }
    }

    // What a test does.

    /// A frame that arrives; `ip` and `l4`: what the device says of its checksums.
    void inject(std::span<const uint8_t> octets,
                ChecksumState ip = ChecksumState::unknown,
                ChecksumState l4 = ChecksumState::unknown) {
        auto* buffer = new uint8_t[octets.size()];
        std::copy(octets.begin(), octets.end(), buffer);
        waiting_.push_back({.data = buffer,
                            .bytes = static_cast<uint32_t>(octets.size()),
                            .ip_checksum = ip,
                            .l4_checksum = l4,
                            .buffer = buffer});
    }
    /// Frames as they left, checksums complete, TSO frames cut; the oldest first.
    [[nodiscard]] std::deque<Bytes>& sent() { return sent_; }
    [[nodiscard]] std::vector<Bytes> take_sent() {
        std::vector<Bytes> out(std::make_move_iterator(sent_.begin()),
                               std::make_move_iterator(sent_.end()));
        sent_.clear();
        return out;
    }
    /// MTU, link and offloads; may change at any time.
    [[nodiscard]] PortInfo& settings() { return info_; }
    /// How many buffers the port has; allocate() gives none beyond these.
    void set_buffers_max(uint32_t count) { buffers_max_ = count; }
    /// How many frames the port takes from now on; 0: it is full.
    void set_transmit_room(uint32_t frames) { transmit_room_ = frames; }
    /// Frames of which the stack did not give the buffer back, received and to be sent.
    [[nodiscard]] uint32_t received_out() const { return received_out_; }
    [[nodiscard]] uint32_t allocated_out() const { return allocated_out_; }
    [[nodiscard]] uint64_t discarded() const { return discarded_; }

    // What the stack does.

    uint32_t receive(std::span<RxFrame> out) override {
        uint32_t count = 0;
        for (; count < out.size() && !waiting_.empty(); ++count) {
            out[count] = waiting_.front();
            waiting_.pop_front();
        }
        received_out_ += count;
        return count;
    }
    void release(std::span<const RxFrame> frames) override {
        SY_ASSERT(frames.size() <= received_out_);
        received_out_ -= static_cast<uint32_t>(frames.size());
        for (const RxFrame& frame : frames) {
            free_buffer(frame.buffer);
        }
    }
    uint32_t allocate(std::span<TxFrame> out) override {
        uint32_t count = 0;
        const uint32_t capacity = std::max(info_.mtu + 18, info_.tso_bytes_max);
        for (; count < out.size() && allocated_out_ < buffers_max_; ++count, ++allocated_out_) {
            auto* buffer = new uint8_t[capacity];
            std::memset(buffer, 0xa5, capacity);  // what was there before is none of our business
            out[count] = {.data = buffer, .capacity = capacity, .buffer = buffer};
        }
        return count;
    }
    uint32_t transmit(std::span<const TxFrame> frames) override {
        const auto taken = static_cast<uint32_t>(std::min<size_t>(frames.size(), transmit_room_));
        if (transmit_room_ != unlimited) {
            transmit_room_ -= taken;
        }
        for (const TxFrame& frame : frames.first(taken)) {
            send(frame);
            give_back(frame);
        }
        return taken;
    }
    void discard(std::span<const TxFrame> frames) override {
        for (const TxFrame& frame : frames) {
            give_back(frame);
            ++discarded_;
        }
    }
    [[nodiscard]] const PortInfo& info() const override { return info_; }

  private:
    static void free_buffer(void* buffer) { delete[] static_cast<uint8_t*>(buffer); }
    void give_back(const TxFrame& frame) {
        SY_ASSERT(allocated_out_ != 0);
        --allocated_out_;
        free_buffer(frame.buffer);
    }

    void send(const TxFrame& frame) {
        SY_ASSERT(frame.bytes <= frame.capacity && frame.bytes >= 14);
        SY_ASSERT(!frame.ip_checksum || info_.tx_ip_checksum);
        SY_ASSERT(!frame.tcp_checksum || info_.tx_tcp_checksum);
        SY_ASSERT(frame.segment_bytes == 0 ||
                  (frame.tcp_checksum && frame.bytes <= info_.tso_bytes_max));
        Bytes octets(frame.data, frame.data + frame.bytes);
        const uint32_t headers = uint32_t{frame.l2_bytes} + frame.l3_bytes + frame.l4_bytes;
        if (frame.segment_bytes == 0 || frame.bytes - headers <= frame.segment_bytes) {
            finish(octets, frame, frame.segment_bytes != 0);
            return;
        }
        for (uint32_t at = headers; at < frame.bytes; at += frame.segment_bytes) {
            const uint32_t end = std::min<uint32_t>(at + frame.segment_bytes, frame.bytes);
            Bytes piece(octets.begin(), octets.begin() + headers);
            piece.insert(piece.end(), octets.begin() + at, octets.begin() + end);
            uint8_t* l4 = piece.data() + frame.l2_bytes + frame.l3_bytes;
            store_be(l4 + 4, load_be<uint32_t>(l4 + 4) + (at - headers));
            if (end != frame.bytes) {
                l4[13] &= static_cast<uint8_t>(~0x09U);  // FIN and PSH are the last one's
            }
            finish(std::move(piece), frame, true);
        }
    }
    // Lengths and checksums that were left to the device.
    void finish(Bytes octets, const TxFrame& frame, bool tso) {
        uint8_t* l3 = octets.data() + frame.l2_bytes;
        const auto l3_bytes = static_cast<uint16_t>(octets.size() - frame.l2_bytes);
        if (tso && !frame.ipv6) {
            store_be(l3 + 2, l3_bytes);
        } else if (tso) {
            store_be(l3 + 4, static_cast<uint16_t>(l3_bytes - 40));
        }
        if (frame.ip_checksum) {
            SY_ASSERT(load_be<uint16_t>(l3 + 10) == 0);
            store_be(l3 + 10, complement(add(0, {l3, frame.l3_bytes})));
        }
        if (frame.tcp_checksum) {
            // The field holds the pseudo-header's sum, which counts as data.
            const std::span<uint8_t> l4{l3 + frame.l3_bytes, size_t{l3_bytes} - frame.l3_bytes};
            const uint64_t length = tso ? l4.size() : 0;
            store_be(l4.data() + 16, complement(add(length, l4)));
        }
        sent_.push_back(std::move(octets));
    }
    static uint64_t add(uint64_t sum, std::span<const uint8_t> octets) {
        for (size_t i = 0; i < octets.size(); ++i) {
            sum += i % 2 == 0 ? uint64_t{octets[i]} << 8 : octets[i];
        }
        return sum;
    }
    static uint16_t complement(uint64_t sum) {
        while (sum > 0xffff) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return static_cast<uint16_t>(~sum);
    }

    PortInfo info_;
    std::deque<RxFrame> waiting_;
    std::deque<Bytes> sent_;
    uint32_t buffers_max_ = unlimited;
    uint32_t transmit_room_ = unlimited;
    uint32_t received_out_ = 0;
    uint32_t allocated_out_ = 0;
    uint64_t discarded_ = 0;
};

}  // namespace sy::tcpip
