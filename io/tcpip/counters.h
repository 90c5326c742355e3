// What one stack counts; names of TCP follow RFC 4022 (TCP-MIB) and RFC 4898 where they have one.
// Written by the worker; a reader of another thread may see a value that is a turn old.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "io/tcpip/parse.h"

namespace sy::tcpip {

/// One writer, many readers: a plain add for the writer, no torn value for a reader.
class Count {
  public:
    Count& operator++() { return *this += 1; }
    Count& operator+=(uint64_t n) {
        // Relaxed: a statistic, it orders nothing.
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
        return *this;
    }
    [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<uint64_t> value_{0};
};

struct TcpCounters {
    Count segments_in;
    Count segments_out;
    Count fast_path;  // of segments_in, by header prediction
    Count bytes_in;   // in order, handed up or kept
    Count bytes_out;  // for the first time

    Count active_opens;
    Count passive_opens;  // SYNs taken
    Count accepted;       // handshakes completed
    Count refused_slots;  // completed, but connections_max was reached: reset
    Count attempts_failed;
    Count established_resets;
    Count timed_out;  // user timeout or keepalive

    Count retransmitted;  // segments
    Count timeouts;       // RTO expiries
    Count fast_recoveries;
    Count tail_probes;
    Count duplicate_acks_in;
    Count window_probes;
    Count keepalive_probes;
    Count black_holes;  // MSS lowered because full segments did not get through
    Count path_mtu_falls;

    Count out_of_order;       // segments kept for later
    Count out_of_order_full;  // segments that found no room
    Count duplicates_in;      // segments of octets that we had
    Count no_memory;          // in-order segments refused: chunks were used up
    Count data_after_close;   // answered by a reset

    // Refused segments.
    Count paws;  // RFC 7323 5.3
    Count outside_window;
    Count ack_missing;
    Count ack_unacceptable;  // RFC 5961 5.2
    Count challenges_syn;    // RFC 5961 4.2
    Count challenges_reset;  // RFC 5961 3.2
    Count challenges_limited;
    Count no_connection;  // answered by a reset
    Count reset_no_connection;
    Count time_wait_segments;
    Count time_wait_evicted;
    Count time_wait_reused;  // RFC 6191

    Count syn_ack_retransmits;
    Count half_open_expired;
    Count cookies_sent;
    Count syns_shed;  // found neither an entry nor a cookie (StackOptions::cookies_per_ms)
    Count cookies_good;
    Count cookies_bad;
    Count icmp_errors;          // for a connection of ours
    Count icmp_errors_ignored;  // no such connection, or not in flight (RFC 5927)
    Count resets_out;
    Count no_frame;  // a segment that was due found no frame; it is sent later
};

struct IpCounters {
    // Received frames: tcp + arp + icmp + all of dropped.
    Count tcp_in;
    Count arp_in;
    Count icmp4_in;
    Count icmp6_in;
    std::array<Count, static_cast<size_t>(Drop::count)> dropped{};

    Count arp_bad;           // malformed
    Count arp_ignored;       // not for us, or from off the link
    Count arp_requests_out;  // asking, probing, announcing
    Count arp_replies_out;
    Count nd_bad;      // RFC 4861 section 7.1, RFC 6980
    Count nd_ignored;  // not for us, router advertisements, redirects
    Count nd_solicits_out;
    Count nd_adverts_out;
    Count neighbour_answers_limited;  // ARP replies and advertisements not sent
    Count neighbour_creates_limited;  // senders not remembered
    Count conflicts;                  // somebody else claims one of our addresses
    Count defences;                   // RFC 5227 section 2.4
    Count duplicates;                 // addresses given up by RFC 4862 section 5.4
    Count mld_queries_in;             // RFC 3810, RFC 2710
    Count mld_bad;                    // queries that RFC 3810 section 6.2 refuses
    Count mld_limited;                // queries not answered: too many a second
    Count mld_reports_out;

    Count echo_in;
    Count echo_out;
    Count echo_limited;
    Count errors_in;     // ICMP errors that quote a segment of ours
    Count icmp_bad;      // malformed, or quoting what we never send
    Count icmp_ignored;  // types that mean nothing to us
    Count no_frame;      // an answer or request not sent: FrameOut had no room
    Count no_route;      // path_to() knew no way
};

/// A counter as the metrics show it.
struct NamedCount {
    std::string_view name;
    std::string_view help;
    const Count* count = nullptr;
};
inline constexpr size_t named_counts = 48;
/// All of them; any thread may read.
[[nodiscard]] std::array<NamedCount, named_counts> named(const TcpCounters& counters);
inline constexpr size_t named_ip_counts = 29 + static_cast<size_t>(Drop::count) - 1;
/// The same below TCP; a name for each reason to drop a frame.
[[nodiscard]] std::array<NamedCount, named_ip_counts> named(const IpCounters& counters);

}  // namespace sy::tcpip
