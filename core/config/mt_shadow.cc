#include "core/config/mt_shadow.h"

#include <functional>

#include "core/config/hopeless.h"

namespace sy::config {
namespace {

using route::MtRule;

struct Facts {
    // What a rule asks for beside its place, a bit each.
    enum Asks : uint32_t {
        customer = 1,
        sender_type = 2,
        data_coding = 4,
        when = 8,
        sender = 16,
        text = 32,
        everything = 63,
    };

    static uint32_t asks_of(const MtRule& rule) {
        return (rule.customer.valid() ? customer : 0u) |
               (rule.sender_type != route::SenderType::any ? sender_type : 0u) |
               (rule.data_coding >= 0 ? data_coding : 0u) | (rule.when != nullptr ? when : 0u) |
               (rule.sender.empty() ? 0u : sender) | (rule.text.empty() ? 0u : text);
    }

    // Of the place and of those conditions alone. What a rule does not ask for is a value like
    // others.
    static size_t hash_of(const MtRule& rule, uint32_t asks) {
        const std::hash<std::string> of_text;
        size_t hash = fold(of_text(rule.plan), of_text(rule.prefix));
        hash = fold(hash, rule.network.value);
        hash = fold(hash, asks);
        hash = fold(hash, (asks & customer) != 0 ? rule.customer.value : 0);
        hash = fold(hash, (asks & sender_type) != 0 ? static_cast<size_t>(rule.sender_type) : 0);
        hash = fold(hash, (asks & data_coding) != 0 ? static_cast<size_t>(rule.data_coding) : 0);
        hash = fold(hash, (asks & when) != 0 ? std::hash<const void*>{}(rule.when.get()) : 0);
        hash = fold(hash, (asks & sender) != 0 ? of_text(rule.sender) : 0);
        return fold(hash, (asks & text) != 0 ? of_text(rule.text) : 0);
    }

    static bool equal_in(const MtRule& a, const MtRule& b, uint32_t asks) {
        return a.prefix == b.prefix && a.plan == b.plan && a.network == b.network &&
               ((asks & customer) == 0 || a.customer == b.customer) &&
               ((asks & sender_type) == 0 || a.sender_type == b.sender_type) &&
               ((asks & data_coding) == 0 || a.data_coding == b.data_coding) &&
               ((asks & when) == 0 || a.when == b.when) &&
               ((asks & sender) == 0 || a.sender == b.sender) &&
               ((asks & text) == 0 || a.text == b.text);
    }
};

}  // namespace

void warn_of_hopeless_rows(const std::vector<MtRule>& rules, Complaints& complaints) {
    warn_of_rows_that_never_win<Facts>(rules, complaints);
}

}  // namespace sy::config
