// The kernel transport over loopback, both ends on one core: requests of 200 octets go out in
// bursts, an answer of 40 octets comes back for each. What a PDU costs besides SMPP and routing.
#include <cstdlib>
#include <ctime>

#include <benchmark/benchmark.h>

#include "io/kernel/transport.h"

namespace {

using namespace sy;  // NOLINT(google-build-using-namespace): a program, not a header

constexpr size_t request_bytes = 200;
constexpr size_t answer_bytes = 40;

Nanos monotonic_now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<Nanos>(now.tv_sec) * second_ns + static_cast<Nanos>(now.tv_nsec);
}

// Answers every whole request at once, one send a read.
struct Answerer {
    kernel::KernelTransport* transport = nullptr;
    std::array<uint8_t, 64 * 1024> answers{};
    uint64_t octets = 0;

    void on_accepted(ConnId, const Endpoint&) {}
    void on_connected(ConnId) {}
    size_t on_bytes(ConnId conn, Octets got) {
        const uint64_t before = octets / request_bytes;
        octets += got.size();
        const size_t count = octets / request_bytes - before;
        if (transport->send(conn, Octets(answers.data(), count * answer_bytes)) !=
            count * answer_bytes) {
            std::abort();  // the window of this benchmark fits into every socket buffer
        }
        return got.size();
    }
    void on_writable(ConnId) {}
    void on_closed(ConnId, CloseReason) {}
};

struct Asker {
    ConnId conn;
    uint64_t octets = 0;
    bool up = false;

    void on_accepted(ConnId, const Endpoint&) {}
    void on_connected(ConnId id) {
        conn = id;
        up = true;
    }
    size_t on_bytes(ConnId, Octets got) {
        octets += got.size();
        return got.size();
    }
    void on_writable(ConnId) {}
    void on_closed(ConnId, CloseReason) {}
};

void request_and_answer(benchmark::State& state) {
    const auto burst = static_cast<size_t>(state.range(0));
    kernel::KernelOptions options;
    options.connections_max = 16;
    auto server = *kernel::KernelTransport::create(options);
    auto client = *kernel::KernelTransport::create(options);
    if (!server->listen(*parse_endpoint("127.0.0.1:0")) ||
        !client->connect(server->listener_endpoint(0))) {
        state.SkipWithError("no loopback");
        return;
    }
    auto answerer = std::make_unique<Answerer>();
    answerer->transport = server.get();
    Asker asker;
    while (!asker.up) {
        client->poll(monotonic_now(), asker);
        server->poll(monotonic_now(), *answerer);
    }
    const std::vector<uint8_t> requests(burst * request_bytes);
    uint64_t expected = 0;
    for ([[maybe_unused]] auto _ : state) {
        if (client->send(asker.conn, requests) != requests.size()) {
            state.SkipWithError("socket full");
            break;
        }
        expected += burst * answer_bytes;
        while (asker.octets < expected) {
            server->poll(monotonic_now(), *answerer);
            client->poll(monotonic_now(), asker);
        }
    }
    if (answerer->octets / request_bytes * answer_bytes != asker.octets) {
        state.SkipWithError("octets lost");
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(request_and_answer)
    ->Name("kernel/request_and_answer")
    ->ArgName("burst")
    ->Arg(1)
    ->Arg(16)
    ->Arg(64)
    ->Arg(256);

}  // namespace

BENCHMARK_MAIN();
