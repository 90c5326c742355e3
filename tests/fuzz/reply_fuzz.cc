// Any octets as a reply template, and as the message that it answers. Checked: what is refused
// names a place of the text; what is taken writes no more than there is room for, and the same
// again.
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "core/route/reply.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace sy;
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    // The template, a newline, the message.
    const size_t end = std::min(all.find('\n'), all.size());
    const std::string_view source = all.substr(0, end);
    const auto reply = route::parse_reply(source);
    if (!reply) {
        SY_ASSERT(reply.error().at < source.size() && !reply.error().text.empty());
        return 0;
    }
    const route::ReplyValues values{
        .text = all.substr(std::min(end + 1, all.size())), .sender = "123", .number = "456"};
    std::array<char, 80> first{};
    std::array<char, 80> again{};
    for (const size_t room : {size_t{0}, size_t{7}, first.size()}) {
        const auto one = route::render(*reply, values, std::span(first).first(room));
        const auto two = route::render(*reply, values, std::span(again).first(room));
        SY_ASSERT(one.octets <= room && one.octets == two.octets && one.cut == two.cut);
        SY_ASSERT(std::string_view(first.data(), one.octets) ==
                  std::string_view(again.data(), two.octets));
    }
    return 0;
}
