#include "io/dpdk/interrupt_thread.h"

#include <atomic>
#include <cstdint>
#include <pthread.h>

#include <rte_alarm.h>

namespace sy::dpdk {
namespace {

constexpr uint64_t at_once_us = 1;
std::atomic<uint32_t> rounds{0};  // of alarms that ran; outlives each of them
pthread_t ending;                 // written before its round, read behind it

void note_round(void* /*context*/) {
    ++rounds;
    rounds.notify_all();
}

// Not cancelled here, where the alarm would stay marked as running and EAL's cleanup would wait for
// it, but where the thread next waits for something to happen.
void cancel_later(void* context) {
    ending = pthread_self();
    pthread_cancel(ending);
    note_round(context);
}

// Alarms run on the interrupt thread, one callback behind the other.
bool wait_for(rte_eal_alarm_callback callback) {
    const uint32_t before = rounds.load();
    if (rte_eal_alarm_set(at_once_us, callback, nullptr) != 0) {
        return false;
    }
    rounds.wait(before);
    return true;
}

}  // namespace

void finish_interrupt_thread() {
    (void)wait_for(note_round);
}

void end_interrupt_thread() {
    if (wait_for(cancel_later)) {
        pthread_join(ending, nullptr);
    }
}

}  // namespace sy::dpdk
