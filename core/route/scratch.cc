#include "core/route/scratch.h"

#include "core/route/mo_table.h"
#include "core/route/mt_table.h"
#include "core/route/scratch_impl.h"
#include "core/route/text_groups.h"

namespace sy::route {

RouteScratch::RouteScratch() : impl_(std::make_unique<Impl>()) {}
RouteScratch::RouteScratch(RouteScratch&&) noexcept = default;
RouteScratch& RouteScratch::operator=(RouteScratch&&) noexcept = default;
RouteScratch::~RouteScratch() = default;

Result<void> RouteScratch::prepare(const MtTable& mt, const MoTable& mo) {
    for (const Patterns* patterns : {&mt.patterns(), &mo.patterns()}) {
        SY_TRY(impl_->patterns.prepare(patterns->sender));
        SY_TRY(impl_->patterns.prepare(patterns->text));
        impl_->sender_matches.reserve(patterns->sender.size());
        impl_->text_matches.reserve(patterns->text.size() + 1);  // and "perhaps", of a QuickSet
    }
    for (const match::QuickSet& set : mt.text_groups().sets()) {
        SY_TRY(impl_->patterns.prepare(*set.database()));
    }
    impl_->whens.assign(mt.when_count(), WhenState{});
    impl_->mo_whens.assign(mo.when_count(), WhenState{});
    impl_->cached_patterns = mt.shared_patterns();
    if (mt.patterns().sender.size() > 0) {
        impl_->senders.reserve();
    } else {
        impl_->senders.release();
    }
    return {};
}

void RouteScratch::use(const QualityBoard* quality) {
    impl_->quality = quality;
}

}  // namespace sy::route
