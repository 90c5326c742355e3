#include "core/config/records_section.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/limits.h"
#include "core/config/parse.h"

namespace sy::config {
namespace {

constexpr size_t tlvs_max = 64;
constexpr size_t kafka_options_max = 64;
constexpr size_t kafka_value_bytes_max = 4096;
constexpr size_t topic_bytes_max = 249;  // Kafka's own limit
constexpr std::array<Choice<RecordFormat>, 2> format_choices{{
    {"json", RecordFormat::json},
    {"csv", RecordFormat::csv},
}};

void read_rotate(Section& in, Nanos& out) {
    std::string text;
    in.text("rotate", text, {0, 32});
    if (text.empty() || text == "off") {
        return;
    }
    const auto every = parse_duration(text);
    if (!every || *every < second_ns || *every > 31 * 24 * 3600 * second_ns) {
        in.complain("rotate", "a duration from \"1s\" to \"31d\" or \"off\"");
        return;
    }
    out = *every;
}

void read_fsync(Section& in, RecordSync& policy, Nanos& every_ns) {
    std::string text = "rotate";
    in.text("fsync", text, {0, 32});
    if (text == "none") {
        policy = RecordSync::none;
        return;
    }
    if (text == "rotate") {
        policy = RecordSync::rotate;
        return;
    }
    const auto every = parse_duration(text);
    if (!every || *every < 100 * millisecond_ns || *every > 3600 * second_ns) {
        in.complain("fsync", "\"none\", \"rotate\" or a duration from \"100ms\" to \"1h\"");
        return;
    }
    policy = RecordSync::interval;
    every_ns = *every;
}

void read_tlvs(Section& in, std::vector<uint16_t>& out) {
    std::vector<Section::Item> items;
    if (!in.list("tlvs", items)) {
        return;
    }
    if (items.size() > tlvs_max) {
        in.complain("tlvs", fmt::format("at most {} tags", tlvs_max));
        return;
    }
    for (const Section::Item& item : items) {
        const std::string_view text = item.text;
        const auto tag = text.starts_with("0x") ? parse_integer<uint16_t>(text.substr(2), 16)
                                                : parse_integer<uint16_t>(text);
        if (!tag) {
            in.complaints().error(item.at, fmt::format("tlvs holds {}, expected a tag like "
                                                       "\"0x1400\", 0x0000 to 0xFFFF",
                                                       in_quotes(text)));
        } else if (std::ranges::find(out, *tag) != out.end()) {
            in.complaints().error(
                item.at,
                fmt::format("tlvs holds {} twice, expected each tag once", in_quotes(text)));
        } else {
            out.push_back(*tag);
        }
    }
}

// What they mean is librdkafka's to judge, at start.
void read_kafka_options(Section& in, const toml::node* node, Records& out) {
    in.expect("kafka_options");
    if (node == nullptr) {
        return;
    }
    const toml::table* table = node->as_table();
    if (table == nullptr) {
        in.complain("kafka_options", "a table [records.kafka_options]");
        return;
    }
    Section options("[records.kafka_options]", table, position_of(*node), in.complaints());
    if (table->size() > kafka_options_max) {
        in.complaints().error(position_of(*node),
                              fmt::format("[records.kafka_options] holds {} keys, expected at most "
                                          "{}",
                                          table->size(), kafka_options_max));
        return;
    }
    std::vector<std::string> keys;  // outlives the section's views of them
    for (const auto& [key, value] : *table) {
        keys.emplace_back(key.str());
    }
    for (const std::string& key : keys) {
        std::string value;
        options.text(key, value, {0, kafka_value_bytes_max});
        out.kafka_options.emplace_back(key, std::move(value));
    }
    options.finish();
}

void read_kafka(Section& in, const toml::node* options, Records& out) {
    in.text("kafka", out.kafka, {0, kafka_value_bytes_max});
    in.text("kafka_topic", out.kafka_topic, {1, topic_bytes_max});
    const bool topic_good = std::ranges::all_of(out.kafka_topic, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
    if (!topic_good) {
        in.complain("kafka_topic", "letters, digits, '.', '_' or '-'");
    }
    read_kafka_options(in, options, out);
}

}  // namespace

void read_records(Section& in, const toml::node* options, Records& out) {
    in.text("path", out.path, {0, 4096});
    in.choice("format", out.format, format_choices);
    in.size("rotate_size", out.rotate_bytes, {64 * kibibyte, 1024 * gibibyte}, Off::is_0);
    read_rotate(in, out.rotate_ns);
    read_fsync(in, out.sync, out.sync_ns);
    in.size("ring", out.ring_bytes, {512 * kibibyte, gibibyte});
    in.size("hold", out.hold_bytes, {mebibyte, 64 * gibibyte});
    read_tlvs(in, out.fields.tlvs);
    in.boolean("text", out.fields.text);
    read_kafka(in, options, out);
    in.finish();
}

}  // namespace sy::config
