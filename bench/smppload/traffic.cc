#include "bench/smppload/traffic.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "bench/smppload/route_lookup.h"
#include "core/smpp/pdu.h"

namespace sy::load {
namespace {

constexpr uint64_t receipt_salt = 0x7265636569707400;
constexpr uint64_t stat_salt = 0x7374617400000000;
constexpr uint64_t expression_salt = 0x6578707200000000;

constexpr uint32_t submit_bytes_wanted = 165;  // the mean that the published figures were taken at

std::string filler(size_t bytes, Prng& prng) {
    static constexpr std::array<std::string_view, 24> words = {
        "your",  "order",   "is",     "ready", "for",  "pickup",  "today", "at",
        "the",   "station", "please", "bring", "this", "message", "with",  "you",
        "thank", "and",     "see",    "soon",  "from", "all",     "of",    "us"};
    std::string out;
    while (out.size() < bytes) {
        out += ' ';
        out += words[prng.below(words.size())];
    }
    out.resize(bytes);
    if (!out.empty() && out.back() == ' ') {
        out.back() = '.';
    }
    return out;
}

}  // namespace

void write_number(uint8_t* to, uint32_t number) {
    for (int i = 9; i >= 0; --i) {
        to[i] = static_cast<uint8_t>('0' + number % 10);
        number /= 10;
    }
}

bool read_number(const uint8_t* from, uint32_t& out) {
    uint64_t value = 0;
    bool digits = true;
    for (uint32_t i = 0; i < Traffic::number_digits; ++i) {
        const auto digit = static_cast<uint8_t>(from[i] - '0');
        digits &= digit <= 9;
        value = value * 10 + digit;
    }
    out = static_cast<uint32_t>(value);
    return digits && value <= 0xFFFFFFFF;
}

Result<Traffic> Traffic::make(const Options& options) {
    auto table = make_route_table(options);
    if (!table) {
        return std::unexpected(std::move(table).error());
    }
    Traffic out;
    out.stats_ = options.stats;
    out.expression_share_ = options.expression_share;
    out.receipt_share_ = options.receipts;
    for (const Expression& expression : table->expressions) {
        out.expression_on_sender_.push_back(expression.on_sender);
    }
    out.make_senders(*table);
    out.make_destinations(options, *table);
    out.make_texts(options, *table);
    return out;
}

void Traffic::make_senders(const RouteTable& table) {
    const auto add = [this](std::string_view name, uint8_t ton, uint8_t npi) {
        Head head;
        ByteWriter out(head.octets);
        out.integer(uint32_t{0});
        out.integer(static_cast<uint32_t>(smpp::CommandId::submit_sm));
        out.integer(uint32_t{0});
        out.integer(uint32_t{0});
        out.c_string("");  // service_type
        out.integer(ton);
        out.integer(npi);
        out.c_string(name);
        SY_ASSERT(!out.overflow());
        head.size = static_cast<uint8_t>(out.written());
        heads_.push_back(head);
    };
    for (const std::string_view name :
         {"acme", "Notify", "MyBank", "Courier", "INFO24", "Travel"}) {
        add(name, 5, 0);
    }
    add("447700900111", 1, 1);
    add("33639980001", 1, 1);
    SY_ASSERT(heads_.size() == plain_senders);
    for (const Expression& expression : table.expressions) {
        add(expression.on_sender ? expression.match : "acme", 5, 0);
    }
}

void Traffic::add_text(size_t bytes, std::string_view fragment, Prng& prng) {
    Body body;
    std::string text = "M" + std::string(number_digits, '0') + std::string(fragment);
    if (text.size() < bytes) {
        text += filler(bytes - text.size(), prng);
    }
    ByteWriter out(body.octets);
    out.octets(Octets(std::array<uint8_t, 9>{}));
    out.integer(static_cast<uint8_t>(text.size()));
    out.octets(as_octets(text));
    SY_ASSERT(!out.overflow());
    body.size = static_cast<uint16_t>(out.written());
    bodies_.push_back(body);
}

void Traffic::make_texts(const Options& options, const RouteTable& table) {
    uint32_t mean = options.text_bytes;
    if (mean == 0) {
        double other = 0;  // octets of a submit_sm that are not text
        for (uint32_t m = 0; m < 1000; ++m) {
            const Choice choice = choose(m);
            other += heads_[choice.sender].size + destinations_[choice.destination].size +
                     double{body_text};
        }
        mean = static_cast<uint32_t>(std::lround(submit_bytes_wanted - other / 1000));
    }
    // Lengths spread evenly over mean +- spread, within one part of 160 characters.
    const uint32_t spread = std::min(mean * 4 / 10, mean < 160 ? 160 - mean : 0);
    Prng prng(options.seed + 17);
    const auto length = [&](uint32_t i) {
        return mean - spread + 2 * spread * (i % plain_texts) / (plain_texts - 1);
    };
    for (uint32_t i = 0; i < plain_texts; ++i) {
        add_text(length(i), "", prng);
    }
    for (uint32_t i = 0; i < table.expressions.size(); ++i) {
        const Expression& expression = table.expressions[i];
        add_text(length(i * 7), expression.on_sender ? "" : " " + expression.match, prng);
    }
}

void Traffic::make_destinations(const Options& options, const RouteTable& table) {
    const RouteLookup lookup(table.rows);
    Prng prng(options.seed + 29);
    // Zipf over the prefixes: row k of the table has weight 1 / (k + 1)^s.
    std::vector<double> reach;
    double sum = 0;
    for (size_t k = 0; k < table.rows.size(); ++k) {
        sum += 1.0 / std::pow(static_cast<double>(k + 1), options.zipf);
        reach.push_back(sum);
    }
    destinations_.reserve(options.destinations);
    while (destinations_.size() < options.destinations) {
        const double at = static_cast<double>(prng() >> 11) * 0x1p-53 * sum;
        const auto k =
            static_cast<size_t>(std::upper_bound(reach.begin(), reach.end(), at) - reach.begin());
        std::string digits = table.rows[std::min(k, table.rows.size() - 1)].prefix;
        const size_t wanted = std::clamp<size_t>(digits.size() + 4, 11 + prng.below(3), 15);
        while (digits.size() < wanted) {
            digits += static_cast<char>('0' + prng.below(10));
        }
        const PrefixRow& row = table.rows[*lookup.longest(digits)];
        Destination to;
        ByteWriter out(to.octets);
        out.integer(uint8_t{1});  // international
        out.integer(uint8_t{1});  // E.164
        out.c_string(digits);
        SY_ASSERT(!out.overflow());
        to.size = static_cast<uint8_t>(out.written());
        to.supplier = row.supplier;
        to.expression_supplier = row.expression_supplier;
        to.expression = row.expression;
        destinations_.push_back(to);
    }
}

Choice Traffic::choose(uint32_t message) const {
    const uint64_t bits = mix64(message);
    Choice out;
    out.destination = destination_of(bits);
    out.sender = static_cast<uint16_t>(bits % plain_senders);
    out.text = static_cast<uint16_t>((bits >> 3) % plain_texts);
    const Destination& to = destinations_[out.destination];
    out.supplier = to.supplier;
    if (to.expression >= 0 && in_share(message, expression_salt, expression_share_)) {
        const auto index = static_cast<uint32_t>(to.expression);
        out.supplier = to.expression_supplier;
        if (expression_on_sender_[index]) {
            out.sender = static_cast<uint16_t>(plain_senders + index);
        } else {
            out.text = static_cast<uint16_t>(plain_texts + index);
        }
    }
    out.receipt = receipt_share_ > 0 && in_share(message, receipt_salt, receipt_share_);
    return out;
}

size_t Traffic::encode(uint32_t message,
                       const Choice& choice,
                       uint32_t sequence_number,
                       uint8_t* out) const {
    // Fixed-size copies, each overwriting the slack of the one before.
    const Head& head = heads_[choice.sender];
    std::memcpy(out, head.octets.data(), head.octets.size());
    uint8_t* at = out + head.size;
    const Destination& to = destinations_[choice.destination];
    std::memcpy(at, to.octets.data(), to.octets.size());
    at += to.size;
    const Body& body = bodies_[choice.text];
    std::memcpy(at, body.octets.data(), body.octets.size());
    at[body_registered] = choice.receipt ? 1u : 0u;
    write_number(at + body_text + 1, message);
    at += body.size;
    const auto size = static_cast<uint32_t>(at - out);
    store_be(out, size);
    store_be(out + 12, sequence_number);
    return size;
}

double Traffic::mean_submit_bytes(uint32_t samples) const {
    std::array<uint8_t, submit_bytes_max> pdu;
    double sum = 0;
    for (uint32_t m = 0; m < samples; ++m) {
        sum += static_cast<double>(encode(m, choose(m), 1, pdu.data()));
    }
    return sum / samples;
}

const Stat& Traffic::stat(uint32_t message) const {
    if (stats_.size() == 1) {
        return stats_.front();
    }
    double at = static_cast<double>(mix64(message ^ stat_salt) >> 11) * 0x1p-53;
    for (const Stat& stat : stats_) {
        if (at < stat.share) {
            return stat;
        }
        at -= stat.share;
    }
    return stats_.back();
}

}  // namespace sy::load
