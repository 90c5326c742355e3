// io/tcpip's data structures per packet: finding a connection, re-arming its timer, and moving an
// SMPP PDU of 200 octets or a full segment of 1460 through a send queue, with and without the
// checksum; and the stages of a segment that stand by themselves. Results are checked before the
// timing starts.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/assert.h"
#include "core/base/prng.h"
#include "io/tcpip/address.h"
#include "io/tcpip/chunk_queue.h"
#include "io/tcpip/copy_checksum.h"
#include "io/tcpip/flow_table.h"
#include "io/tcpip/plain_headers.h"
#include "io/tcpip/plain_segment.h"
#include "io/tcpip/siphash.h"
#include "io/tcpip/timer_wheel.h"

namespace sy::tcpip {
namespace {

constexpr uint32_t burst = 32;
constexpr uint64_t seed = 40;

// By CPU time, so that a busy machine does not count.
void report(benchmark::State& state, uint64_t items_per_iteration) {
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(items_per_iteration));
    state.counters["ns_per_item"] = benchmark::Counter(
        static_cast<double>(items_per_iteration) * 1e-9,
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// Two cache lines a connection, as the stack has them; the key lies in the first one.
struct alignas(64) Connection {
    FlowKey key;
    uint32_t counter = 0;
    uint8_t first_rest[24] = {};
    uint32_t other_counter = 0;
    uint8_t second_rest[60] = {};
};
static_assert(sizeof(Connection) == 128);

FlowKey flow_of(uint32_t i) {
    const uint8_t remote[4] = {10, 0, static_cast<uint8_t>(i >> 24), static_cast<uint8_t>(i >> 16)};
    const uint8_t local[4] = {10, 1, 0, 1};
    return {IpAddress::from_ipv4(remote), IpAddress::from_ipv4(local), static_cast<uint16_t>(i),
            2775};
}

// Stages as in the stack: hash and prefetch of a burst, then lookup and prefetch of connections,
// then both lines are touched.
void flow_find(benchmark::State& state) {
    const auto flows = static_cast<uint32_t>(state.range(0));
    FlowTable table(flows);
    PageArray<Connection> connections(flows);
    for (uint32_t i = 0; i < flows; ++i) {
        connections[i].key = flow_of(i);
        table.insert(flow_hash(connections[i].key, seed), i);
    }
    Prng prng(seed);
    std::vector<uint32_t> order(8192);
    std::vector<FlowKey> keys(order.size());
    for (size_t i = 0; i < order.size(); ++i) {
        order[i] = static_cast<uint32_t>(prng.below(flows));
        keys[i] = flow_of(order[i]);
    }
    const auto find = [&](uint32_t hash, const FlowKey& key) {
        return table.find(hash, [&](uint32_t index) { return connections[index].key == key; });
    };
    for (size_t i = 0; i < order.size(); ++i) {
        SY_ASSERT(find(flow_hash(keys[i], seed), keys[i]) == order[i]);
    }
    uint32_t hashes[burst];
    uint32_t found[burst];
    for (auto _ : state) {
        for (size_t at = 0; at < order.size(); at += burst) {
            for (uint32_t i = 0; i < burst; ++i) {
                hashes[i] = flow_hash(keys[at + i], seed);
                table.prefetch(hashes[i]);
            }
            // The slot's index before the key is known to be the same: mostly it is.
            for (uint32_t i = 0; i < burst; ++i) {
                found[i] = table.find(hashes[i], [](uint32_t) { return true; });
                __builtin_prefetch(&connections[found[i]]);
                __builtin_prefetch(&connections[found[i]].other_counter);
            }
            for (uint32_t i = 0; i < burst; ++i) {
                if (connections[found[i]].key != keys[at + i]) [[unlikely]] {
                    found[i] = find(hashes[i], keys[at + i]);
                }
                ++connections[found[i]].counter;
                ++connections[found[i]].other_counter;
            }
        }
    }
    report(state, order.size());
    uint64_t touched = 0;
    for (uint32_t i = 0; i < flows; ++i) {
        SY_ASSERT(connections[i].counter == connections[i].other_counter);
        touched += connections[i].counter;
    }
    SY_ASSERT(touched == static_cast<uint64_t>(state.iterations()) * order.size());
}
BENCHMARK(flow_find)->Name("tcpip/flow_find/burst=32/flows")->Arg(100)->Arg(100'000);

void isn_hash(benchmark::State& state) {
    const SipKey key{seed, ~seed};
    const FlowKey flow = flow_of(7);
    SY_ASSERT(siphash(key, flow, 1) != siphash(key, flow, 2));
    uint64_t value = 0;
    for (auto _ : state) {
        value = siphash(key, flow, value);
    }
    report(state, 1);
    benchmark::DoNotOptimize(value);
}
BENCHMARK(isn_hash)->Name("tcpip/siphash/flow");

// Every packet moves its connection's deadline away by what has passed; now and then a tick.
void wheel_rearm(benchmark::State& state) {
    const auto timers = static_cast<uint32_t>(state.range(0));
    constexpr Nanos timeout = 200 * millisecond_ns;
    TimerWheel wheel(timers, 0);
    Nanos now = 0;
    for (uint32_t id = 0; id < timers; ++id) {
        wheel.arm(id, timeout + id % 1000 * microsecond_ns);
    }
    SY_ASSERT(wheel.armed() == timers && wheel.next_ns() <= timeout + millisecond_ns);
    Prng prng(seed);
    std::vector<uint32_t> ids(8192);
    for (auto& id : ids) {
        id = static_cast<uint32_t>(prng.below(timers));
    }
    for (auto _ : state) {
        for (const uint32_t id : ids) {
            wheel.arm(id, now + timeout);
        }
        now += 10 * microsecond_ns;
    }
    report(state, ids.size());
    SY_ASSERT(wheel.armed() == timers);
    for (const uint32_t id : ids) {
        SY_ASSERT(wheel.deadline(id) == now - 10 * microsecond_ns + timeout);
    }
}
BENCHMARK(wheel_rearm)->Name("tcpip/wheel_rearm/timers")->Arg(100)->Arg(100'000);

// One turn of a worker with nothing due: what every poll pays; and what going to sleep asks.
void wheel_turn(benchmark::State& state) {
    constexpr uint32_t timers = 100'000;
    TimerWheel wheel(timers, 0);
    Prng prng(seed);
    for (uint32_t id = 0; id < timers; ++id) {
        wheel.arm(id, second_ns * 3600 + prng.below(second_ns));
    }
    Nanos now = 0;
    uint64_t expired = 0;
    for (auto _ : state) {
        now += microsecond_ns;
        expired += wheel.advance(now, 64, [](uint32_t) {});
        Nanos next = wheel.next_ns();
        benchmark::DoNotOptimize(next);
    }
    report(state, 1);
    SY_ASSERT(expired == 0 || now > 3600 * second_ns);
}
BENCHMARK(wheel_turn)->Name("tcpip/wheel_turn/timers=100k");

// All timers run out and are armed again, a tick after the other.
void wheel_expire(benchmark::State& state) {
    constexpr uint32_t timers = 100'000;
    TimerWheel wheel(timers, 0);
    Prng prng(seed);
    for (uint32_t id = 0; id < timers; ++id) {
        wheel.arm(id, 1 + prng.below(second_ns));
    }
    Nanos now = 0;
    uint64_t expired = 0;
    for (auto _ : state) {
        for (int i = 0; i < 1000; ++i) {
            now += millisecond_ns;
            expired +=
                wheel.advance(now, timers, [&](uint32_t id) { wheel.arm(id, now + second_ns); });
        }
    }
    report(state, timers);
    // Each once a second, but for the tick that a deadline is rounded up to.
    const auto seconds = static_cast<uint64_t>(state.iterations());
    SY_ASSERT(expired <= timers * seconds && expired + timers > timers * seconds);
}
BENCHMARK(wheel_expire)->Name("tcpip/wheel_expire/timers=100k")->Unit(benchmark::kMicrosecond);

std::vector<uint8_t> random_octets(size_t n) {
    Prng prng(seed);
    std::vector<uint8_t> out(n);
    for (auto& octet : out) {
        octet = static_cast<uint8_t>(prng());
    }
    return out;
}

// A message is appended, copied into a segment and acknowledged; 64 of them are in flight.
template <bool summed>
void chunk_queue(benchmark::State& state) {
    const auto bytes = static_cast<uint32_t>(state.range(0));
    ChunkPool pool(256);
    ChunkQueue queue;
    const auto message = random_octets(bytes);
    std::vector<uint8_t> segment(bytes);
    for (int i = 0; i < 64; ++i) {
        SY_ASSERT(queue.append(pool, message) == bytes);
    }
    auto cursor = queue.at(pool, 63 * bytes);
    const uint32_t expected = fold_sum(sum_octets(message.data(), bytes));
    uint32_t sum = 0;
    for (auto _ : state) {
        if constexpr (summed) {
            sum = fold_sum(queue.copy_out_and_sum(pool, cursor, segment));
            benchmark::DoNotOptimize(sum);
        } else {
            queue.copy_out(pool, cursor, segment);
        }
        benchmark::DoNotOptimize(segment.data());
        benchmark::ClobberMemory();
        queue.drop_front(pool, bytes);
        queue.append(pool, message);
    }
    report(state, 1);
    SY_ASSERT(segment == message && (!summed || sum == expected));
    queue.clear(pool);
    SY_ASSERT(pool.available() == pool.chunks());
}
BENCHMARK(chunk_queue<false>)->Name("tcpip/chunk_queue/in_and_out/bytes")->Arg(200)->Arg(1460);
BENCHMARK(chunk_queue<true>)->Name("tcpip/chunk_queue/in_and_out_sum/bytes")->Arg(200)->Arg(1460);

void chunk_append(benchmark::State& state) {
    const auto bytes = static_cast<uint32_t>(state.range(0));
    ChunkPool pool(64);
    ChunkQueue queue;
    const auto message = random_octets(bytes);
    for (auto _ : state) {
        SY_ASSERT(queue.append(pool, message) == bytes);
        if (queue.size() > 32 * 1024) {
            queue.clear(pool);
        }
        benchmark::ClobberMemory();
    }
    report(state, 1);
    SY_ASSERT(queue.empty() || queue.front(pool)[0] == message[0]);
    queue.clear(pool);
}
BENCHMARK(chunk_append)->Name("tcpip/chunk_append/bytes")->Arg(200)->Arg(1460);

// Variants of the sum, each over several places of a buffer, so that alignment varies.
enum class Way : uint8_t { copy_only, sum_only, copy_and_sum, plain };

// The loop that RFC 1071 section 4.1 shows.
uint32_t plain_copy_and_sum(uint8_t* to, const uint8_t* from, size_t n) {
    uint64_t sum = 0;
    for (size_t at = 0; at + 2 <= n; at += 2) {
        uint16_t word = 0;
        std::memcpy(&word, from + at, 2);
        std::memcpy(to + at, &word, 2);
        sum += word;
    }
    if (n % 2 != 0) {
        to[n - 1] = from[n - 1];
        sum += from[n - 1];
    }
    return fold_sum(sum);
}

template <Way way>
uint32_t once(uint8_t* to, const uint8_t* from, size_t n) {
    if constexpr (way == Way::copy_only) {
        std::memcpy(to, from, n);
        return 0;
    } else if constexpr (way == Way::sum_only) {
        return fold_sum(sum_octets(from, n));
    } else if constexpr (way == Way::copy_and_sum) {
        return fold_sum(copy_and_sum(to, from, n));
    } else {
        return plain_copy_and_sum(to, from, n);
    }
}

template <Way way>
void copy_sum(benchmark::State& state) {
    const auto bytes = static_cast<size_t>(state.range(0));
    const auto from = random_octets(bytes + 64);
    std::vector<uint8_t> to(bytes + 64);
    SY_ASSERT(plain_copy_and_sum(to.data(), from.data(), bytes) ==
              fold_sum(sum_octets(from.data(), bytes)));
    if (way != Way::copy_only) {
        SY_ASSERT(once<way>(to.data(), from.data(), bytes) ==
                  fold_sum(sum_octets(from.data(), bytes)));
    }
    size_t shift = 0;
    uint32_t sum = 0;
    for (auto _ : state) {
        shift = (shift + 10) % 64;
        sum += once<way>(to.data() + (shift ^ 32), from.data() + shift, bytes);
        benchmark::DoNotOptimize(sum);
        benchmark::ClobberMemory();
    }
    report(state, 1);
}
BENCHMARK(copy_sum<Way::copy_only>)->Name("tcpip/memcpy/bytes")->Arg(200)->Arg(1460);
BENCHMARK(copy_sum<Way::sum_only>)->Name("tcpip/folded_sum/bytes")->Arg(200)->Arg(1460);
BENCHMARK(copy_sum<Way::copy_and_sum>)->Name("tcpip/copy_and_sum/bytes")->Arg(200)->Arg(1460);
BENCHMARK(copy_sum<Way::plain>)->Name("tcpip/copy_and_sum_plain/bytes")->Arg(200)->Arg(1460);

// The stages of a segment that stand by themselves, over a burst of segments with 200 octets and
// timestamps, in cache. Written by the one, read by the other.
struct Segments {
    static constexpr uint32_t payload_bytes = 200;
    static constexpr Mac mac{2, 0, 0, 0, 0, 1};

    Segments() : interface(mac, options()), frames(burst) {
        common.l2_bytes = ethernet::header_bytes;
        store_mac(common.octets.data() + ethernet::source_at, {2, 0, 0, 0, 0, 2});
        store_be(common.octets.data() + ethernet::type_at, ethernet::type_ipv4);
        uint8_t* l3 = common.octets.data() + common.l2_bytes;
        l3[ipv4::version_at] = 0x45;
        l3[ipv4::ttl_at] = ip::ttl_default;
        l3[ipv4::protocol_at] = ip::protocol_tcp;
        common.sum = sum_octets(l3, ipv4::header_bytes);
    }
    static InterfaceOptions options() {
        const uint8_t ours[4] = {10, 1, 0, 1};
        return {.addresses = {{.address = IpAddress::from_ipv4(ours), .prefix_bits = 24}}};
    }
    // All but the payload and its part of the checksum.
    PlainSums headers(uint32_t i) {
        return write_plain_headers(frames[i].data(), common, flow_of(i), mac,
                                   {.seq = {i},
                                    .ack = {i + 1},
                                    .timestamp = i,
                                    .echo = i + 2,
                                    .payload_bytes = payload_bytes,
                                    .window = 500,
                                    .flags = tcp::ack | tcp::psh},
                                   false);
    }
    void finish(uint32_t i) {
        uint8_t* payload =
            frames[i].data() + common.l2_bytes + ipv4::header_bytes + PlainHeader::tcp_bytes;
        const PlainSums sums = headers(i);
        store_checksum(payload - PlainHeader::tcp_bytes + tcp::checksum_at,
                       sums.pseudo + sums.tcp + sum_octets(payload, payload_bytes));
    }
    [[nodiscard]] RxFrame frame(uint32_t i) const {
        return {.data = frames[i].data(), .bytes = 66 + payload_bytes};
    }

    Ipv4Template common;
    Interface interface;
    std::vector<std::array<uint8_t, 512>> frames;
};

void segment_in(benchmark::State& state) {
    Segments segments;
    for (uint32_t i = 0; i < burst; ++i) {
        segments.finish(i);
    }
    uint64_t good = 0;
    uint64_t rounds = 0;
    for (auto _ : state) {
        for (uint32_t i = 0; i < burst; ++i) {
            PlainSegment segment;
            const RxFrame frame = segments.frame(i);
            const bool plain =
                find_plain(frame, segments.interface, segment) && is_intact(frame, segment);
            good += plain ? 1 : 0;
            uint32_t hash = flow_hash_ipv4(segment.addresses(), segment.ports(), seed);
            benchmark::DoNotOptimize(hash);
        }
        ++rounds;
    }
    SY_ASSERT(good == rounds * burst);
    report(state, burst);
}
BENCHMARK(segment_in)->Name("tcpip/stage/look_check_hash");

void headers_out(benchmark::State& state) {
    Segments segments;
    for (auto _ : state) {
        for (uint32_t i = 0; i < burst; ++i) {
            PlainSums sums = segments.headers(i);
            benchmark::DoNotOptimize(sums);
        }
        benchmark::ClobberMemory();
    }
    segments.finish(0);
    PlainSegment segment;
    SY_ASSERT(find_plain(segments.frame(0), segments.interface, segment) &&
              is_intact(segments.frame(0), segment) && segment.payload_bytes() == 200);
    report(state, burst);
}
BENCHMARK(headers_out)->Name("tcpip/stage/headers");

}  // namespace
}  // namespace sy::tcpip

BENCHMARK_MAIN();
