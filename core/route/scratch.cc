#include "core/route/scratch.h"

#include <algorithm>

#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/scratch_impl.h"

namespace sy::route {

RouteScratch::RouteScratch() : impl_(std::make_unique<Impl>()) {}
RouteScratch::RouteScratch(RouteScratch&&) noexcept = default;
RouteScratch& RouteScratch::operator=(RouteScratch&&) noexcept = default;
RouteScratch::~RouteScratch() = default;

Result<void> RouteScratch::prepare(const MtTable& mt, const MoTable& mo) {
    SY_TRY(impl_->patterns.prepare(mt.patterns()));
    SY_TRY(impl_->patterns.prepare(mo.patterns()));
    const size_t words =
        std::max({impl_->sender_bits.size(), mt.patterns().words(), mo.patterns().words()});
    impl_->sender_bits.resize(words);
    impl_->text_bits.resize(words);
    return {};
}

}  // namespace sy::route
