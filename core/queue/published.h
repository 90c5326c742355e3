// One immutable object that the control thread replaces while workers read it: a pointer store to
// publish, rte_rcu_qsbr to know when nobody can still hold the old one (0.3 ns to load, 0.6 ns to
// report a quiescent state).
//
// Threads: publish() and reclaim() by control; load(), quiescent(), online() and offline() by
// worker `reader` alone. A worker is offline at first; between online() and offline() it may hold
// what load() gave it until its next quiescent().
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include <rte_rcu_qsbr.h>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace sy::queue {

template <class T>
class Published {
  public:
    explicit Published(uint32_t readers) {
        const size_t line = limits::cache_line_bytes;
        const size_t bytes = (rte_rcu_qsbr_get_memsize(readers) + line - 1) / line * line;
        qsbr_.reset(static_cast<rte_rcu_qsbr*>(std::aligned_alloc(line, bytes)));
        SY_ASSERT(qsbr_ != nullptr);
        SY_ASSERT(rte_rcu_qsbr_init(qsbr_.get(), readers) == 0);
        for (uint32_t reader = 0; reader < readers; ++reader) {
            SY_ASSERT(rte_rcu_qsbr_thread_register(qsbr_.get(), reader) == 0);
        }
    }

    /// Makes `next` what load() returns; the one before is kept until reclaim() finds it unused.
    void publish(std::unique_ptr<const T> next) {
        // Release pairs with the acquire in load(): the object is complete before it is seen.
        current_.store(next.get(), std::memory_order_release);
        if (owner_ != nullptr) {
            retired_.emplace_back(std::move(owner_), rte_rcu_qsbr_start(qsbr_.get()));
        }
        owner_ = std::move(next);
    }

    /// Frees what no worker can hold any more; returns how many objects still wait.
    size_t reclaim() {
        std::erase_if(retired_, [this](const auto& old) {
            return rte_rcu_qsbr_check(qsbr_.get(), old.second, false) == 1;
        });
        return retired_.size();
    }

    [[nodiscard]] const T* load() const { return current_.load(std::memory_order_acquire); }
    /// Control's own view; never null after the first publish().
    [[nodiscard]] const T* owned() const { return owner_.get(); }

    void quiescent(uint32_t reader) { rte_rcu_qsbr_quiescent(qsbr_.get(), reader); }
    void online(uint32_t reader) { rte_rcu_qsbr_thread_online(qsbr_.get(), reader); }
    void offline(uint32_t reader) { rte_rcu_qsbr_thread_offline(qsbr_.get(), reader); }

  private:
    struct Free {
        void operator()(rte_rcu_qsbr* qsbr) const { std::free(qsbr); }
    };

    std::unique_ptr<rte_rcu_qsbr, Free> qsbr_;
    std::atomic<const T*> current_{nullptr};
    std::unique_ptr<const T> owner_;
    std::vector<std::pair<std::unique_ptr<const T>, uint64_t>> retired_;
};

}  // namespace sy::queue
