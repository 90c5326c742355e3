// One TCP connection of a stack: the transmission control block of RFC 9293 section 3.3.1. What
// decides about a segment stands in front, what belongs to recovery and to rare events behind.
// Owned by the stack; one thread.
//
// What only a few connections need at a time (out-of-order octets, the SACK scoreboard, octets that
// wait) lives in pools of the worker and is named here by an index.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "io/tcpip/address.h"
#include "io/tcpip/chunk_queue.h"
#include "io/tcpip/congestion.h"
#include "io/tcpip/neighbours.h"
#include "io/tcpip/rtt.h"
#include "io/tcpip/seq.h"

namespace sy::tcpip {

inline constexpr uint32_t no_index = 0xFFFFFFFF;
inline constexpr Nanos no_deadline = ~Nanos{0};

/// RFC 9293 section 3.3.2. LISTEN has no connection; SYN-RECEIVED has one only after a simultaneous
/// open (else an entry of the SYN cache); TIME-WAIT has an entry of its own table.
enum class TcpState : uint8_t {
    free,
    syn_sent,
    syn_received,
    established,
    fin_wait_1,
    fin_wait_2,
    close_wait,
    closing,
    last_ack,
};

/// What the user of the transport has to do with it.
enum class Owner : uint8_t {
    none,     // orphan: on_closed was called, or is about to be; TCP winds up by itself
    opening,  // connect() without an outcome
    open,
    closing,  // close() was called: what arrives is discarded, on_closed will come
};

/// RFC 6675 section 5 and RFC 6298 section 5.
enum class Recovery : uint8_t {
    none,
    fast,     // fast recovery until recovery_point is acknowledged
    timeout,  // after a retransmission time-out: slow start from snd_una
};

enum class RetransmitTimer : uint8_t { off, retransmit, probe_tail, persist };

struct alignas(limits::cache_line_bytes) Connection {
    // First line: who, where in both streams, and whether everything goes as it should.
    FlowKey key;
    Seq rcv_nxt;
    Seq ack_sent;  // ACK field of our last segment (RFC 7323 Last.ACK.sent)
    Seq rcv_edge;  // right edge of the offered window; never moves back
    Seq snd_una;
    Seq snd_nxt;
    Seq snd_max;  // highest octet ever sent + 1; snd_nxt is behind it after a time-out
    TcpState state = TcpState::free;
    Owner owner = Owner::none;
    Recovery recovery = Recovery::none;
    uint8_t duplicate_acks = 0;

    // Second line: sending.
    uint32_t snd_wnd = 0;
    uint32_t ts_recent = 0;
    uint32_t ts_offset = 0;
    uint32_t generation = 0;
    ChunkQueue send;        // from snd_una on; FIN and SYN are not in it
    ChunkQueue::Cursor at;  // of snd_nxt in `send`; valid while cursor_valid
    uint16_t mss = 536;     // payload of a full segment, options of every segment taken off
    uint8_t snd_scale = 0;
    uint8_t rcv_scale = 0;
    Neighbours::Handle next_hop;
    uint8_t unacked_segments = 0;  // received since our last ACK
    RetransmitTimer timer = RetransmitTimer::off;
    uint8_t backoffs = 0;  // time-outs in a row
    uint8_t probes = 0;    // of the peer (keepalive, shut window, repetitions) without an answer

    // Third: flags, the windows' history, round-trip time.
    bool timestamps : 1 = false;
    bool sack_permitted : 1 = false;
    bool window_scale : 1 = false;
    bool fin_wanted : 1 = false;  // close() was called: FIN follows the last octet
    bool fin_sent : 1 = false;    // at least once; its sequence number is send's end
    bool peer_fin : 1 = false;    // received in order
    bool paused : 1 = false;
    bool want_write : 1 = false;  // send() fell short

    bool ack_now : 1 = false;
    bool cursor_valid : 1 = false;
    bool output_queued : 1 = false;
    bool ready_queued : 1 = false;
    bool dead_queued : 1 = false;       // on_closed is due
    bool rtt_running : 1 = false;       // rtt_seq is being timed
    bool retransmit_first : 1 = false;  // the segment at snd_una, whatever the window says
    bool tail_probed : 1 = false;       // a tail loss probe is out: tail_end

    bool cwnd_limited : 1 = false;  // the congestion window, not the user, held data back
    bool cut : 1 = false;           // octets for the user were dropped: none behind them may follow
    bool keeps : 1 = false;         // `kept` is not empty
    bool ipv4 : 1 = false;          // `key` has IPv4 addresses

    Seq snd_wl1;  // RFC 9293 3.10.7.4: segment of the last window update
    Seq snd_wl2;
    uint32_t snd_wnd_max = 0;  // largest window that the peer ever offered
    NewReno congestion;
    RttEstimator rtt;
    Seq rtt_seq;

    // Fourth: times.
    Nanos rtt_sent_ns = 0;
    Nanos wheel_ns = no_deadline;  // what the wheel is set to; never later than what follows
    Nanos retransmit_ns = no_deadline;
    Nanos ack_ns = no_deadline;  // delayed ACK
    Nanos received_ns = 0;       // last segment that was acceptable; keepalive
    Nanos progress_ns = 0;       // last time that the oldest octet in flight was acknowledged
    Nanos ts_recent_ns = 0;      // when ts_recent was taken (RFC 7323 5.5: 24 days)
    uint32_t reassembly = no_index;
    uint32_t scoreboard = no_index;

    // The rest: what an ordinary segment does not look at.
    Nanos linger_ns = no_deadline;  // connect(), close() or FIN-WAIT-2 has waited long enough
    Nanos timed_out_ns = 0;         // the timer's last retransmission or probe
    Nanos challenge_ns = 0;
    Nanos out_of_window_ns = 0;        // last answer to a segment outside the window
    Nanos mss_retry_ns = no_deadline;  // the path made `mss` small: when larger ones are tried
    ChunkQueue kept;                   // received in order, not consumed
    Seq fin_seq;                       // of our FIN once fin_sent
    Seq recovery_point;
    Seq high_retransmitted;  // RFC 6675 HighRxt
    Seq tail_end;            // RFC 8985 7.2 TLP.end_seq
    Seq iss;
    Seq irs;
    uint32_t hash = 0;
    uint16_t peer_mss = 536;
    uint16_t black_hole_mss = 0xFFFF;  // what got through when full segments did not
    uint8_t challenges = 0;            // sent in the period that began at challenge_ns
    bool tail_retransmitted = false;

    /// Lines that an ordinary segment touches.
    static constexpr uint32_t hot_lines = 4;

    [[nodiscard]] uint32_t flight() const { return snd_max - snd_una; }
    /// The sequence number behind the last octet that the user has given us: the FIN's, if any.
    [[nodiscard]] Seq send_end() const { return snd_una + send.size(); }
    [[nodiscard]] bool fin_acked() const { return fin_sent && snd_una > fin_seq; }
};
static_assert(offsetof(Connection, snd_wnd) == limits::cache_line_bytes);
static_assert(offsetof(Connection, linger_ns) == Connection::hot_lines * limits::cache_line_bytes);

}  // namespace sy::tcpip
