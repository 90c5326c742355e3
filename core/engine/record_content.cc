#include "core/engine/record_content.h"

#include "core/text/udh.h"

namespace sy::engine {

void set_content(const Message& message, bool with_text, Record& out) {
    const smpp::Sm& sm = message.sm;
    out.is_data_sm = message.is_data_sm;
    out.esm_class = sm.esm_class;
    out.data_coding = sm.data_coding;
    out.source_ton = sm.source.ton;
    out.source_npi = sm.source.npi;
    out.destination_ton = sm.destination.ton;
    out.destination_npi = sm.destination.npi;
    out.set(RecordPart::source, sm.source.digits);
    out.set(RecordPart::destination, sm.destination.digits);
    out.set(RecordPart::source_number, message.source.view());
    out.set(RecordPart::destination_number, message.destination.view());
    const text::MessageText body = text::message_text(sm);
    out.text_octets = static_cast<uint32_t>(body.text.size());
    out.set(RecordPart::udh, body.octets.first(body.udh.octet_count));
    if (const auto part = text::concat_of(sm, body.udh)) {
        out.part_reference = part->ref;
        out.part_total = part->total;
        out.part_sequence = part->seq;
    }
    if (with_text) {
        out.set(RecordPart::text, body.text);
    }
}

}  // namespace sy::engine
