#include "core/route/choice_words.h"

namespace sy::route {

namespace {

std::string amount(Money money, const std::string& currency) {
    return to_string(money) + (currency.empty() ? "" : " " + currency);
}

std::string percent(uint64_t ppm) {
    return to_string(Money{static_cast<int64_t>(ppm) * (Money::nanos_per_unit / 10'000)}) + " %";
}

std::string quality_in_words(const QualityReading& reading) {
    std::string text = "quality " + std::to_string(reading.score.percent()) + " %";
    if (!reading.measured) {
        text += " (assumed: " + std::to_string(reading.answers) + " answers are too few)";
    } else {
        text += ": " + percent(reading.accepted_ppm) + " of " + std::to_string(reading.answers) +
                " accepted";
    }
    if (reading.receipts > 0) {
        text += ", " + percent(reading.delivered_ppm) + " of " + std::to_string(reading.receipts) +
                " receipts delivered after " + std::to_string(reading.delay_ms) + " ms";
    }
    return text + (reading.network.valid() ? "" : ", over all networks");
}

}  // namespace

std::string target_in_words(const TargetFacts& facts,
                            const ChoiceCase& the_case,
                            Select select,
                            const std::string& currency) {
    std::string text;
    const auto add = [&](const std::string& part) {
        text += text.empty() ? "" : "; ";
        text += part;
    };
    if (the_case.buy != nullptr) {
        const PriceTable::Step* price = facts.price;
        add(price == nullptr ? "no price now"
                             : "price " + amount(price->price, currency) +
                                   (price->per_delivery() ? " a delivery" : " a submit") +
                                   " (prices.csv line " + std::to_string(price->line()) + ")");
    }
    if (facts.taken_off) {
        add(facts.price == nullptr ? "off: a limit needs a price" : "off: above the limit");
    }
    if (select == Select::quality && the_case.quality != nullptr) {
        QualityReading reading = the_case.quality->reading(facts.supplier, the_case.network);
        if (!reading.measured) {
            const QualityReading over_all =
                the_case.quality->reading(facts.supplier, NetworkId::none());
            reading = over_all.measured ? over_all : reading;
        }
        add(quality_in_words(reading));
    }
    return text;
}

std::string limit_in_words(Money limit,
                           bool is_sold,
                           const PriceTable::Step* sell_price,
                           const std::string& currency) {
    if (limit == Money::highest()) {
        return {};
    }
    if (is_sold && sell_price == nullptr) {
        return "nothing: the customer has no price for it now in sell.csv";
    }
    std::string text = "at most " + amount(limit, currency);
    if (sell_price != nullptr) {
        text += " (the customer pays " + amount(sell_price->price, currency) + ", sell.csv line " +
                std::to_string(sell_price->line()) + ")";
    }
    return text;
}

}  // namespace sy::route
