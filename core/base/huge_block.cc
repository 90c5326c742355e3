#include "core/base/huge_block.h"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace sy {

HugeBlock::HugeBlock(size_t bytes, Content content) {
    // Below half a page the rest of it would be wasted, and small tables fit the TLB anyway.
    const bool huge = bytes >= page_bytes / 2;
    const size_t unit = huge ? page_bytes : limits::cache_line_bytes;
    bytes_ = (bytes + unit - 1) / unit * unit;
    if (bytes_ == 0) {
        return;
    }
    data_ = std::aligned_alloc(unit, bytes_);
    SY_ASSERT(data_ != nullptr);
    if (huge) {
        // Advice only: without huge pages the table is slower, not wrong.
        (void)madvise(data_, bytes_, MADV_HUGEPAGE);
    }
    if (content == Content::zeros) {
        std::memset(data_, 0, bytes_);
    }
}

HugeBlock::~HugeBlock() {
    std::free(data_);
}

}  // namespace sy
