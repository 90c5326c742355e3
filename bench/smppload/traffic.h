// What is sent: every message is a pure function of its number and of the options, so that each end
// knows what the other should see, and to which supplier the router must bring it, without talking.
//
//   message m -> destination (out of a pool), sender, text, whether it asks for a receipt, ...
//
// The same generation writes mt.csv (write_config.cc). Built once, then read only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/smppload/options.h"
#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "core/base/result.h"

namespace sy::load {

// One row of the route table: everything under a prefix goes to `supplier`, but what matches the
// expression goes to `expression_supplier`.
struct PrefixRow {
    std::string prefix;
    uint8_t supplier = 0;
    uint8_t expression_supplier = 0;
    int32_t expression = -1;  // none
};

// A regular expression of the table. Even ones look at the text, odd ones at the sender.
struct Expression {
    std::string pattern;
    std::string match;  // text fragment or sender that matches it
    bool on_sender = false;
};

/// The route table that both ends and the router share.
struct RouteTable {
    std::vector<PrefixRow> rows;
    std::vector<Expression> expressions;
};
[[nodiscard]] Result<RouteTable> make_route_table(const Options& options);

// Facts about one message.
struct Choice {
    uint32_t destination = 0;
    uint16_t sender = 0;
    uint16_t text = 0;
    uint8_t supplier = 0;  // where it belongs
    bool receipt = false;  // asks for one
};

class Traffic {
  public:
    static constexpr uint32_t number_digits = 10;
    static constexpr uint32_t submit_bytes_max = 320;  // of encode(), slack included

    [[nodiscard]] static Result<Traffic> make(const Options& options);

    [[nodiscard]] Choice choose(uint32_t message) const;

    /// Brings what choose() will read into the cache; some messages ahead of it.
    /// Forced inline: g++ 12 takes a function that only prefetches for pure and drops its calls.
    [[gnu::always_inline]] void prefetch(uint32_t message) const {
        __builtin_prefetch(&destinations_[destination_of(mix64(message))]);
    }

    /// Writes the submit_sm of this message, whole PDU; returns its length. Writes up to
    /// submit_bytes_max octets, the rest is garbage.
    size_t encode(uint32_t message,
                  const Choice& choice,
                  uint32_t sequence_number,
                  uint8_t* out) const;

    // The parts, for the side that checks them.
    [[nodiscard]] std::string_view sender(const Choice& choice) const {
        const Head& head = heads_[choice.sender];
        return {reinterpret_cast<const char*>(head.octets.data()) + 19, head.size - 20u};
    }
    [[nodiscard]] std::string_view destination(const Choice& choice) const {
        const Destination& to = destinations_[choice.destination];
        return {reinterpret_cast<const char*>(to.octets.data()) + 2, to.size - 3u};
    }
    /// The text without its number in front ("M0123456789"), which is compared apart.
    [[nodiscard]] std::string_view text_behind_number(const Choice& choice) const {
        const Body& body = bodies_[choice.text];
        return {reinterpret_cast<const char*>(body.octets.data()) + body_text + 1 + number_digits,
                body.size - body_text - 1u - number_digits};
    }

    /// Mean length of a submit_sm over `samples` messages.
    [[nodiscard]] double mean_submit_bytes(uint32_t samples = 10'000) const;
    /// True for `share` of all messages, the same ones every time; `salt` tells uses apart.
    [[nodiscard]] static bool in_share(uint32_t message, uint64_t salt, double share) {
        return static_cast<double>(mix64(message ^ salt) >> 11) * 0x1p-53 < share;
    }
    /// The word of the receipt for this message ("DELIVRD"), by the stat mix.
    [[nodiscard]] const Stat& stat(uint32_t message) const;

  private:
    // Octets of the PDU up to the source address's NUL, header included.
    struct Head {
        std::array<uint8_t, 48> octets{};
        uint8_t size = 0;
    };
    // dest_addr_ton, dest_addr_npi, destination_addr with its NUL; then where it belongs.
    // Half a cache line, aligned: the pool is larger than L2, one message is one miss.
    struct alignas(32) Destination {
        std::array<uint8_t, 20> octets{};
        uint8_t size = 0;
        uint8_t supplier = 0;
        uint8_t expression_supplier = 0;
        int32_t expression = -1;
    };
    // Everything from esm_class to the end of short_message.
    struct Body {
        std::array<uint8_t, 192> octets{};
        uint16_t size = 0;
    };
    static constexpr uint32_t body_registered = 5;  // esm, pid, priority, schedule, validity
    static constexpr uint32_t body_text = 10;
    static constexpr uint32_t plain_texts = 64;
    static constexpr uint32_t plain_senders = 8;

    [[nodiscard]] uint32_t destination_of(uint64_t bits) const {
        return static_cast<uint32_t>((bits >> 32) * destinations_.size() >> 32);
    }
    void make_senders(const RouteTable& table);
    void make_texts(const Options& options, const RouteTable& table);
    void make_destinations(const Options& options, const RouteTable& table);
    void add_text(size_t bytes, std::string_view fragment, Prng& prng);

    std::vector<Head> heads_;
    std::vector<Body> bodies_;
    std::vector<Destination> destinations_;
    std::vector<bool> expression_on_sender_;
    std::vector<Stat> stats_;
    double expression_share_ = 0;
    double receipt_share_ = 0;
};

/// Ten decimal digits.
void write_number(uint8_t* to, uint32_t number);
/// False when they are not ten digits, or too large.
[[nodiscard]] bool read_number(const uint8_t* from, uint32_t& out);

}  // namespace sy::load
