#include "core/match/wider_words.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/match/expression_form.h"
#include "core/match/expression_tree.h"

namespace sy::match {

namespace {

// Shorter ones stand in most texts, longer ones are no rarer.
constexpr size_t octets_min = 3;
constexpr size_t octets_counted_max = 8;
constexpr size_t octets_max = 64;
constexpr size_t words_max = 16;  // of one expression

struct Needle {
    std::string octets;
    bool caseless = false;
    bool has_letter = false;

    friend bool operator==(const Needle&, const Needle&) = default;
};
// One of them stands in every text that matches; empty: nothing is known.
using Needles = std::vector<Needle>;

class NeedleFinder {
  public:
    NeedleFinder(const ExpressionTree& tree, bool utf8_mode) : tree_(tree), utf8_mode_(utf8_mode) {}

    /// The rarest, and the rarest of the others that a text needs as well.
    [[nodiscard]] std::pair<Needles, Needles> two_of(uint32_t index) const {
        const Node& node = tree_.nodes[index];
        if (node.kind != NodeKind::sequence) {
            return {of(index), {}};
        }
        std::pair<Needles, Needles> two;
        const std::vector<Needles> all = each_of_sequence(node.children);
        for (const Needles& needles : all) {
            offer(needles, two.first);
        }
        for (const Needles& needles : all) {
            if (needles != two.first) {
                offer(needles, two.second);
            }
        }
        return two;
    }

  private:
    [[nodiscard]] Needles of(uint32_t index) const {
        const Node& node = tree_.nodes[index];
        switch (node.kind) {
            case NodeKind::character:
                return of_sequence({&index, 1});
            case NodeKind::sequence:
                return of_sequence(node.children);
            case NodeKind::alternation:
                return of_alternation(node);
            case NodeKind::repeat:
                return node.min > 0 ? of(node.children.front()) : Needles{};
            case NodeKind::set:
            case NodeKind::assertion:
                break;
        }
        return {};
    }

    // Characters beyond ASCII have other forms under (?i), and two of them are other forms of
    // ASCII letters (expression_form.h).
    [[nodiscard]] bool stands_as_written(const Node& node) const {
        const char32_t c = node.character;
        const bool folds_further = utf8_mode_ && ((c | 0x20) == 's' || (c | 0x20) == 'k');
        return !node.caseless || (c < 0x80 && !folds_further);
    }

    static bool extend(Needle& run, const Node& node) {
        const bool letter = is_ascii_letter(node.character);
        if (run.octets.size() >= octets_max ||
            (letter && run.has_letter && run.caseless != node.caseless)) {
            return false;
        }
        if (letter) {
            run.has_letter = true;
            run.caseless = node.caseless;
        }
        append_utf8(node.character, run.octets);
        return true;
    }

    [[nodiscard]] Needles of_sequence(std::span<const uint32_t> children) const {
        Needles best;
        for (Needles& needles : each_of_sequence(children)) {
            offer(std::move(needles), best);
        }
        return best;
    }

    // A text needs one of each.
    [[nodiscard]] std::vector<Needles> each_of_sequence(std::span<const uint32_t> children) const {
        std::vector<Needles> all;
        Needle run;
        const auto end_run = [&] {
            all.push_back({std::move(run)});
            run = Needle{};
        };
        for (const uint32_t child : children) {
            const Node& node = tree_.nodes[child];
            const bool plain = node.kind == NodeKind::character && stands_as_written(node);
            if (plain && extend(run, node)) {
                continue;
            }
            end_run();
            if (plain) {
                extend(run, node);
            } else if (node.kind != NodeKind::character) {
                all.push_back(of(child));
            }
        }
        end_run();
        return all;
    }

    [[nodiscard]] Needles of_alternation(const Node& node) const {
        Needles all;
        for (const uint32_t child : node.children) {
            Needles some = of(child);
            if (some.empty() || all.size() + some.size() > words_max) {
                return {};
            }
            std::ranges::move(some, std::back_inserter(all));
        }
        return all;
    }

    static size_t worth(const Needles& needles) {
        size_t least = needles.empty() ? 0 : octets_counted_max;
        for (const Needle& needle : needles) {
            least = std::min(least, is_of_links(needle.octets) ? octets_min : needle.octets.size());
        }
        return least;
    }
    // Every link has these: the last choice.
    static bool is_of_links(std::string_view octets) {
        constexpr std::string_view links[] = {"https://", "http://", "www.", ".com/"};
        return octets.size() >= octets_min &&
               std::ranges::any_of(
                   links, [&](std::string_view link) { return link.find(octets) != link.npos; });
    }
    // The longer the shortest of them, the rarer are they; then the fewer.
    static void offer(Needles needles, Needles& best) {
        const size_t offered = worth(needles);
        const size_t had = worth(best);
        if (offered >= octets_min &&
            (offered > had || (offered == had && needles.size() < best.size()))) {
            best = std::move(needles);
        }
    }

    const ExpressionTree& tree_;
    bool utf8_mode_;
};

std::string expression_of(const Needles& needles) {
    std::string out;
    for (const Needle& needle : needles) {
        out += out.empty() ? "(?:" : "|";
        out += needle.caseless ? "(?i:" : "(?:";
        for (const char octet : needle.octets) {
            // Of a character beyond ASCII all octets stay: written as \x.. each would be one.
            if (static_cast<unsigned char>(octet) >= 0x80) {
                out += octet;
            } else {
                append_literal(octet, out);
            }
        }
        out += ')';
    }
    return out + ')';
}

}  // namespace

WiderWords wider_words(const std::string& expression) {
    const ExpressionForm form = form_of(expression);
    if (!form.words.empty()) {
        return {expression, form.words, true, {}};
    }
    const std::optional<ExpressionTree> tree = parse_expression(expression);
    if (!tree) {
        return {};
    }
    const auto [needles, others] = NeedleFinder(*tree, form.utf8_mode).two_of(tree->root);
    if (needles.empty()) {
        return {};
    }
    WiderWords wider;
    wider.expression = expression_of(needles);
    wider.words = form_of(wider.expression).words;
    for (const Needle& needle : others) {
        wider.also.push_back({.octets = needle.octets, .caseless = needle.caseless});
    }
    return wider.words.empty() ? WiderWords{} : wider;
}

}  // namespace sy::match
