#include "core/route/snapshot.h"

namespace sy::route {

Result<void> prepare_scratches(size_t workers, Snapshot& snapshot) {
    snapshot.scratches.resize(workers);
    for (RouteScratch& scratch : snapshot.scratches) {
        SY_TRY(scratch.prepare(snapshot.mt, snapshot.mo));
    }
    return {};
}

}  // namespace sy::route
