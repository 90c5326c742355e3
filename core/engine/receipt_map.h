// The way back of every receipt that is still expected: (supplier, normalised message_id) ->
// customer, our id, the submit's own addresses. One map a worker (the key's owner), used by that
// worker alone; bounded; allocates in its constructor only.
//
// An entry lives until its final receipt (then a while longer, so that a repeated one is
// recognised), until it is older than its age, or until the map is full: then finished ones go
// first, then the oldest.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/time.h"
#include "core/engine/message.h"

namespace sy::engine {

/// Whether a receipt from that number may belong to the message: suppliers write numbers in forms
/// of their own, the digits' tail is what stays the same. False when either is empty.
[[nodiscard]] bool is_same_destination(const ReceiptWay& way, std::string_view destination);

class ReceiptMap {
  public:
    ReceiptMap(uint32_t capacity, Nanos age_max_ns);

    /// The same key may be inserted again (ids get reused); the newest is found first. True when an
    /// entry that was still waiting had to go to make room.
    /// `since_ns`: of the submit_sm_resp, as a rule now.
    bool insert(const ReceiptKey& key, const ReceiptWay& way, Nanos since_ns);

    struct Found {
        const ReceiptWay* way =
            nullptr;  // valid until the next insert() or expire(); null: unknown
        uint32_t entry = 0;
        bool finished = false;  // a final receipt was seen before
        Nanos since_ns = 0;     // when the way was remembered: at the submit_sm_resp
    };
    /// `destination`: the receipt's source address, which tells reused ids apart; may be empty.
    [[nodiscard]] Found find(const ReceiptKey& key, std::string_view destination) const;
    /// The one entry of the key that waits; none when there are several, or none.
    [[nodiscard]] Found find_lost(const ReceiptKey& key) const;
    /// A final receipt for the entry came.
    void finish(uint32_t entry);
    /// None will come for it. `id` is our own, of the way.
    void finish(const ReceiptKey& key, uint64_t id);
    /// It could not be kept after all, and will come again. `id` is our own, of the way.
    void reopen(const ReceiptKey& key, uint64_t id);

    /// Drops what is too old; returns how many were still waiting. Bounded work.
    uint32_t expire(Nanos now_ns, uint32_t work_max);

    [[nodiscard]] uint32_t waiting() const { return pending_.count; }

  private:
    static constexpr uint32_t none = 0xFFFFFFFF;
    struct Entry {
        ReceiptKey key;
        uint32_t chain = none;                // next of the same bucket
        uint32_t older = none, newer = none;  // its list by time
        bool finished = false;
        Nanos since_ns = 0;
        ReceiptWay way;
    };
    struct List {
        uint32_t oldest = none, newest = none, count = 0;
    };

    void append(List& list, uint32_t entry);
    void unlink(List& list, uint32_t entry);
    void release(uint32_t entry);

    uint32_t capacity_;
    uint32_t bucket_mask_;
    Nanos age_max_ns_;
    std::unique_ptr<Entry[]> entries_;
    std::unique_ptr<uint32_t[]> buckets_;
    uint32_t free_ = none;
    List pending_;
    List finished_;
};

}  // namespace sy::engine
