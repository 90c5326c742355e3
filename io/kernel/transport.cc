// The turn, octets in and out, the end of connections, their slots and timers; open.cc has how they
// come about.
#include "io/kernel/transport.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <limits>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "io/kernel/epoll.h"

namespace sy::kernel {
namespace {

// Descriptors besides connections: standard streams, logs, tables, epoll sets, store.
constexpr uint64_t other_files = 256;

int wait_events(int epoll, std::span<epoll_event> events, Nanos timeout_ns) {
    timespec timeout{};
    timeout.tv_sec = static_cast<time_t>(timeout_ns / second_ns);
    timeout.tv_nsec = static_cast<long>(timeout_ns % second_ns);
    const int count =
        epoll_pwait2(epoll, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    if (count >= 0 || errno != ENOSYS) {
        return count;
    }
    // Kernels before 5.11: milliseconds, rounded up so that a timer is due after the sleep.
    const Nanos timeout_ms = (timeout_ns + millisecond_ns - 1) / millisecond_ns;
    constexpr Nanos timeout_ms_max = std::numeric_limits<int>::max();
    return epoll_wait(epoll, events.data(), static_cast<int>(events.size()),
                      static_cast<int>(std::min(timeout_ms, timeout_ms_max)));
}

}  // namespace

Result<std::unique_ptr<KernelTransport>> KernelTransport::create(const KernelOptions& options) {
    SY_ASSERT(options.connections_max > 0);
    SY_ASSERT(options.connections_max < detail::listener_base);
    SY_ASSERT(options.read_bytes > 0);
    std::unique_ptr<KernelTransport> transport(new KernelTransport(options));
    SY_TRY(transport->open());
    return transport;
}

KernelTransport::KernelTransport(const KernelOptions& options)
    : options_(options),
      connections_(options.connections_max),
      blocks_(std::make_unique_for_overwrite<uint8_t[]>(size_t{options.kept_blocks} *
                                                        options.read_bytes)),
      scratch_(std::make_unique_for_overwrite<uint8_t[]>(options.read_bytes)),
      ready_(options.connections_max),
      dead_(options.connections_max) {
    free_slots_.reserve(options.connections_max);
    for (uint32_t slot = options.connections_max; slot > 0; --slot) {
        free_slots_.push_back(slot - 1);  // lowest first, so that arrays by slot stay dense
    }
    free_blocks_.reserve(options.kept_blocks);
    for (uint32_t block = 0; block < options.kept_blocks; ++block) {
        free_blocks_.push_back(block);
    }
}

KernelTransport::~KernelTransport() {
    for (Connection& connection : connections_) {
        if (connection.fd >= 0) {
            ::close(connection.fd);
        }
    }
}

Result<void> KernelTransport::open() {
    const uint64_t wanted = uint64_t{options_.connections_max} * options_.instances + other_files;
    if (const uint64_t limit = raise_open_files_limit(wanted); limit < wanted) {
        warning_ = fmt::format(
            "connections_max {} on {} workers needs {} open files but the limit is {}; raise it "
            "(ulimit -n, or LimitNOFILE= in the unit) or lower connections_max",
            options_.connections_max, options_.instances, wanted, limit);
    }
    epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
    wake_event_ = Fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    reserve_ = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!epoll_.valid() || !wake_event_.valid() || !reserve_.valid()) {
        return fail(with_errno("cannot set up epoll", errno));
    }
    if (!watch(epoll_.get(), EPOLL_CTL_ADD, wake_event_.get(), EPOLLIN,
               token(detail::wake_token, 0))) {
        return fail(with_errno("cannot watch the wake-up event", errno));
    }
    return {};
}

void KernelTransport::fetch_events() {
    const int found = epoll_wait(epoll_.get(), events_.data(), events_max, 0);
    event_count_ = found > 0 ? static_cast<uint32_t>(found) : 0;
}

void KernelTransport::wait(Nanos deadline_ns) {
    if (event_count_ != 0 || ready_.size() != 0 || dead_.size() != 0) {
        return;
    }
    // acquire: pairs with the store in wake(), what was posted before it is seen after this.
    if (wake_requested_.exchange(false, std::memory_order_acquire)) {
        return;
    }
    const Nanos now_ns = monotonic_now();
    deadline_ns = std::min(deadline_ns, next_deadline());
    if (deadline_ns <= now_ns) {
        return;
    }
    // seq_cst, as in wake(): the two stores are ordered before the two loads.
    sleeping_.store(true, std::memory_order_seq_cst);
    if (!wake_requested_.load(std::memory_order_seq_cst)) {
        const int found = wait_events(epoll_.get(), events_, deadline_ns - now_ns);
        event_count_ = found > 0 ? static_cast<uint32_t>(found) : 0;
    }
    sleeping_.store(false, std::memory_order_relaxed);
    // acquire as above. A wake() that lands here is served by this very return.
    (void)wake_requested_.exchange(false, std::memory_order_acquire);
}

void KernelTransport::wake() {
    // seq_cst: see the members. A worker that does not sleep is told without a system call.
    wake_requested_.store(true, std::memory_order_seq_cst);
    if (sleeping_.exchange(false, std::memory_order_seq_cst)) {
        const uint64_t one = 1;
        (void)!::write(wake_event_.get(), &one, sizeof one);
    }
}

void KernelTransport::drain_wake() {
    uint64_t counter = 0;
    (void)!::read(wake_event_.get(), &counter, sizeof counter);
}

void KernelTransport::note_event(Connection& connection, uint32_t slot, uint32_t events) {
    if (connection.state != State::open && connection.state != State::closing) {
        return;
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        connection.failed = true;
    }
    if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) {
        // Octets and the end may share this one edge: a short read does not prove emptiness.
        connection.hangup = true;
    }
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) == 0) {
        return;
    }
    connection.readable = true;
    if (connection.paused && connection.failed && connection.state == State::open) {
        kill(slot, CloseReason::peer_reset);  // nobody may read it, and nobody can be answered
        return;
    }
    set_ready(slot);
}

KernelTransport::ReadResult KernelTransport::read(Connection& connection) {
    ReadResult result;
    result.peeked = free_blocks_.empty();
    const ssize_t got =
        ::recv(connection.fd, scratch_.get(), options_.read_bytes, result.peeked ? MSG_PEEK : 0);
    if (got > 0) {
        count(counters_.reads);
        const auto size = static_cast<size_t>(got);
        connection.readable = size == options_.read_bytes || connection.hangup;
        result.kind = Read::octets;
        result.octets = {scratch_.get(), size};
        return result;
    }
    count(counters_.reads_empty);
    if (got == 0) {
        result.kind = Read::end;
    } else if (errno == EAGAIN) {
        connection.readable = false;
    } else if (errno != EINTR) {
        connection.failed = true;
        result.kind = Read::end;
    }
    return result;
}

void KernelTransport::keep(Connection& connection, const ReadResult& from, size_t consumed) {
    const size_t rest = from.octets.size() - consumed;
    if (from.peeked) {
        if (consumed > 0) {
            // For TCP, MSG_TRUNC drops the octets without copying them anywhere.
            const ssize_t dropped = ::recv(connection.fd, nullptr, consumed, MSG_TRUNC);
            SY_ASSERT(dropped == static_cast<ssize_t>(consumed));
        }
        connection.readable = connection.readable || rest > 0;
        return;
    }
    if (rest == 0) {
        return;
    }
    const uint32_t block = free_blocks_.back();
    free_blocks_.pop_back();
    std::memcpy(blocks_.get() + size_t{block} * options_.read_bytes, from.octets.data() + consumed,
                rest);
    connection.kept_block = block;
    connection.kept_begin = 0;
    connection.kept_end = static_cast<uint32_t>(rest);
}

void KernelTransport::release_kept(Connection& connection) {
    if (connection.kept_block != none) {
        free_blocks_.push_back(connection.kept_block);
        connection.kept_block = none;
    }
}

/// After close(): reads until the peer's end, bounded per poll.
void KernelTransport::discard(uint32_t slot) {
    Connection& connection = connections_[slot];
    constexpr uint32_t reads_max = 4;
    for (uint32_t i = 0; i < reads_max && connection.readable; ++i) {
        const ssize_t got = ::recv(connection.fd, scratch_.get(), options_.read_bytes, 0);
        if (got > 0 || (got < 0 && errno == EINTR)) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            connection.readable = false;
            return;
        }
        kill(slot, CloseReason::local);
        return;
    }
    set_ready(slot);
}

size_t KernelTransport::send(ConnId conn, Octets octets) {
    Connection* connection = find(conn);
    if (connection == nullptr || octets.empty()) {
        return 0;
    }
    if (connection->state != State::open) {
        connection->want_write = connection->state == State::connecting;
        return 0;
    }
    const ssize_t sent = ::send(connection->fd, octets.data(), octets.size(), MSG_NOSIGNAL);
    count(counters_.sends);
    if (sent == static_cast<ssize_t>(octets.size())) {
        return octets.size();
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS && errno != ENOMEM) {
        // The end comes by the next read, behind what the peer still sent.
        connection->failed = true;
        connection->hangup = true;
        connection->readable = true;
        if (connection->paused) {
            kill(conn.slot, CloseReason::peer_reset);
        } else {
            set_ready(conn.slot);
        }
        return 0;
    }
    count(counters_.sends_short);
    connection->want_write = true;
    return sent > 0 ? static_cast<size_t>(sent) : 0;
}

void KernelTransport::pause(ConnId conn) {
    if (Connection* connection = find(conn)) {
        connection->paused = true;
    }
}

void KernelTransport::resume(ConnId conn) {
    Connection* connection = find(conn);
    if (connection == nullptr || !connection->paused) {
        return;
    }
    connection->paused = false;
    if (connection->readable || connection->kept_block != none) {
        set_ready(conn.slot);
    }
}

void KernelTransport::close(ConnId conn) {
    Connection* connection = find(conn);
    if (connection == nullptr || connection->state == State::closing) {
        return;
    }
    if (connection->state == State::connecting || ::shutdown(connection->fd, SHUT_WR) != 0) {
        kill(conn.slot, CloseReason::local);
        return;
    }
    release_kept(*connection);
    connection->state = State::closing;
    connection->paused = false;
    connection->want_write = false;
    connection->readable = true;  // what came before may stand unread
    start_timer(conn.slot, monotonic_now() + options_.close_linger_ns);
    set_ready(conn.slot);
}

void KernelTransport::abort(ConnId conn) {
    Connection* connection = find(conn);
    if (connection == nullptr) {
        return;
    }
    close_with_reset(std::exchange(connection->fd, -1));
    kill(conn.slot, CloseReason::local);
}

KernelTransport::Connection* KernelTransport::find(ConnId conn) {
    if (conn.slot >= connections_.size()) {
        return nullptr;
    }
    Connection& connection = connections_[conn.slot];
    const bool alive = connection.generation == conn.generation &&
                       connection.state != State::free && connection.state != State::dead;
    return alive ? &connection : nullptr;
}

uint32_t KernelTransport::take_slot(int fd, State state) {
    const uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    Connection& connection = connections_[slot];
    SY_ASSERT(connection.state == State::free);
    Connection fresh;
    fresh.fd = fd;
    fresh.generation = connection.generation + 1;
    fresh.state = state;
    fresh.queued = connection.queued;  // a stale entry of ready_ is this slot's one entry
    connection = fresh;
    return slot;
}

void KernelTransport::set_ready(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (!connection.queued && !connection.paused) {
        connection.queued = true;
        ready_.push(slot);
    }
}

/// Gives the socket up; on_closed follows at the end of this poll() or of the next.
void KernelTransport::kill(uint32_t slot, CloseReason reason) {
    Connection& connection = connections_[slot];
    SY_ASSERT(connection.state != State::free);
    SY_ASSERT(connection.state != State::dead);
    if (connection.fd >= 0) {
        ::close(connection.fd);  // leaves the epoll set by itself
        connection.fd = -1;
    }
    release_kept(connection);
    stop_timer(slot);
    connection.state = State::dead;
    connection.reason = reason;
    dead_.push(slot);
}

KernelTransport::TimerList& KernelTransport::timers_of(State state) {
    SY_ASSERT(state == State::connecting || state == State::closing);
    return state == State::connecting ? connecting_timers_ : closing_timers_;
}

void KernelTransport::start_timer(uint32_t slot, Nanos deadline_ns) {
    Connection& connection = connections_[slot];
    TimerList& list = timers_of(connection.state);
    connection.deadline_ns = deadline_ns;
    connection.timer_prev = list.tail;
    connection.timer_next = none;
    (list.tail == none ? list.head : connections_[list.tail].timer_next) = slot;
    list.tail = slot;
}

void KernelTransport::stop_timer(uint32_t slot) {
    Connection& connection = connections_[slot];
    if (connection.deadline_ns == 0) {
        return;
    }
    TimerList& list = timers_of(connection.state);
    (connection.timer_prev == none ? list.head : connections_[connection.timer_prev].timer_next) =
        connection.timer_next;
    (connection.timer_next == none ? list.tail : connections_[connection.timer_next].timer_prev) =
        connection.timer_prev;
    connection.timer_prev = none;
    connection.timer_next = none;
    connection.deadline_ns = 0;
}

void KernelTransport::expire(Nanos now_ns) {
    while (connecting_timers_.head != none &&
           connections_[connecting_timers_.head].deadline_ns <= now_ns) {
        kill(connecting_timers_.head, CloseReason::connect_failed);
    }
    while (closing_timers_.head != none &&
           connections_[closing_timers_.head].deadline_ns <= now_ns) {
        kill(closing_timers_.head, CloseReason::local);
    }
    if (accept_again_ns_ != 0 && accept_again_ns_ <= now_ns) {
        resume_accepting();
    }
}

Nanos KernelTransport::next_deadline() const {
    Nanos next = std::numeric_limits<Nanos>::max();
    for (const uint32_t head : {connecting_timers_.head, closing_timers_.head}) {
        if (head != none) {
            next = std::min(next, connections_[head].deadline_ns);
        }
    }
    return accept_again_ns_ != 0 ? std::min(next, accept_again_ns_) : next;
}

}  // namespace sy::kernel
