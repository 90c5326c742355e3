// What one worker needs to decide: Hyperscan scratch, text buffers, the sender cache. Not
// thread-safe; one a worker.
#pragma once

#include <memory>

#include "core/base/result.h"

namespace sy::route {

class MtTable;
class MoTable;
class QualityBoard;

class RouteScratch {
  public:
    RouteScratch();
    RouteScratch(RouteScratch&&) noexcept;
    RouteScratch& operator=(RouteScratch&&) noexcept;
    ~RouteScratch();

    /// Grows to what the snapshot's tables need and forgets all senders; those of `mt` are
    /// remembered from here on. Control thread, before publication: it allocates.
    [[nodiscard]] Result<void> prepare(const MtTable& mt, const MoTable& mo);

    /// Whose figures select = quality looks at; null: nobody's. Of this scratch's worker.
    void use(const QualityBoard* quality);

    struct Impl;
    [[nodiscard]] Impl& impl() { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace sy::route
