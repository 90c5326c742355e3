// Messages that were under way when their router died: they may be at a supplier, and are sent
// again. Their records say so at the start, before any of them is: a record of the next life may be
// lost with that one's end, as records are not waited for.
//
// Control thread, before the workers run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/time.h"
#include "core/engine/hub.h"
#include "core/route/snapshot.h"
#include "core/store/names.h"

namespace sy::store {

struct Interrupted {
    uint64_t id = 0;
    std::string value;  // of Family::messages
};

/// Puts a record of each (postponed, resent) into the ring of the first worker, from `first` on,
/// while there is room; the index of the first that was not put. Counts them as put off. With no
/// records it counts alone.
[[nodiscard]] size_t record_interrupted(std::span<const Interrupted> all,
                                        size_t first,
                                        engine::Hub& hub,
                                        const route::Snapshot& snapshot,
                                        const Names& names,
                                        Nanos wall_ns,
                                        Nanos mono_ns);

}  // namespace sy::store
