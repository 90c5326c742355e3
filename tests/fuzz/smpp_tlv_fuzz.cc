// A TLV stream: the three ways of walking it agree, values lie inside it, and writing the TLVs
// again gives the same octets.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"
#include "core/smpp/tlv.h"

namespace sy::smpp {
namespace {

void check_stream(Octets stream) {
    const size_t whole_bytes = whole_tlvs_bytes(stream);
    SY_ASSERT(whole_bytes <= stream.size());
    std::vector<uint8_t> again(whole_bytes);
    ByteWriter writer(again);
    std::vector<TlvTag> seen;
    for (const Tlv& tlv : TlvRange(stream)) {
        writer.tlv(static_cast<uint16_t>(tlv.tag), tlv.value);
        const bool first = std::find(seen.begin(), seen.end(), tlv.tag) == seen.end();
        seen.push_back(tlv.tag);
        Octets found;
        SY_ASSERT(find_tlv(stream, tlv.tag, found));
        SY_ASSERT((found.data() == tlv.value.data()) == first);

        const auto integer = tlv_integer(tlv.value);
        SY_ASSERT(integer.has_value() == (tlv.value.size() >= 1 && tlv.value.size() <= 4));
        SY_ASSERT(tlv_c_string(tlv.value).size() <= tlv.value.size());
        const auto error = read_network_error_code(tlv.value);
        SY_ASSERT(error.has_value() == (tlv.value.size() == 3 || tlv.value.size() == 4));
        const TlvRule* rule = tlv_rule(tlv.tag);
        SY_ASSERT(rule == nullptr || rule->tag == tlv.tag);
        if (seen.size() == 256) {
            return;  // find_tlv on each makes this quadratic
        }
    }
    SY_ASSERT(!writer.overflow());
    SY_ASSERT(writer.written() == whole_bytes);
    SY_ASSERT(std::equal(again.begin(), again.end(), stream.begin()));
}

}  // namespace
}  // namespace sy::smpp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    sy::smpp::check_stream({data, size});
    return 0;
}
