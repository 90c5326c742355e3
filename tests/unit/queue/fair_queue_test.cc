#include "core/queue/fair_queue.h"

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace sy::queue {
namespace {

struct Item {
    uint32_t flow = 0;
    uint32_t level = 0;
    uint32_t group = 0;  // 0: of none
    uint32_t number = 0;
    bool unwanted = false;
    Item* next = nullptr;
};

struct ItemTraits {
    static uint32_t flow_of(const Item& item) { return item.flow; }
    static uint32_t level_of(const Item& item) { return item.level; }
    static bool continues(const Item& a, const Item& b) {
        return a.group != 0 && a.group == b.group;
    }
};

using Queue = FairQueue<Item, ItemTraits>;

/// The same by the words of the header, slowly: flows in the order of their turns, each with all
/// that it has in one list.
class Model {
  public:
    void push(Item* item) {
        const auto flow = std::ranges::find(flows_, item->flow, &Flow::number);
        if (flow == flows_.end()) {
            flows_.push_back({item->flow, {item}});
        } else {
            flow->items.push_back(item);
        }
    }
    Item* pop() {
        while (!flows_.empty() && (flows_.front().items.empty() || flows_.front().debt > 0)) {
            Flow flow = flows_.front();
            flows_.pop_front();
            if (!flow.items.empty()) {
                --flow.debt;
                flows_.push_back(flow);
            }
        }
        if (flows_.empty()) {
            return nullptr;
        }
        Flow flow = flows_.front();
        Item* item = take_best(flow);
        if (flow.items.empty()) {
            flows_.pop_front();
        } else if (flow.turn < Queue::turn_max - 1 && item->group != 0 &&
                   best(flow)->group == item->group) {
            ++flow.turn;
            flows_.front() = flow;
        } else {
            flow.debt = flow.turn;
            flow.turn = 0;
            flows_.pop_front();
            flows_.push_back(flow);
        }
        return item;
    }
    void remove(const Item* item) {
        for (Flow& flow : flows_) {
            std::erase(flow.items, item);
        }
    }

  private:
    struct Flow {
        uint32_t number = 0;
        std::vector<Item*> items;  // in the order of their coming
        uint32_t debt = 0;
        uint32_t turn = 0;
    };
    static Item* best(const Flow& flow) {
        return *std::ranges::max_element(
            flow.items, {}, [](const Item* i) { return std::pair{i->level, ~i->number}; });
    }
    static Item* take_best(Flow& flow) {
        Item* item = best(flow);
        std::erase(flow.items, item);
        return item;
    }
    std::deque<Flow> flows_;
};

// Every mix of pushes, pops and sweeps leaves in the order of the model.
TEST(FairQueue, BehavesAsTheModel) {
    uint64_t popped = 0;
    uint64_t swept = 0;
    for (uint64_t seed = 1; seed <= 300; ++seed) {
        Prng prng(seed);
        Queue queue;
        Model model;
        std::list<Item> items;
        const uint32_t flows = static_cast<uint32_t>(1 + prng.below(9));
        uint32_t waiting = 0;
        for (int step = 0; step < 600; ++step) {
            const uint64_t what = prng.below(20);
            if (what < 11) {
                // Groups come as runs of one flow and level, most of the time.
                const Item* last = items.empty() ? nullptr : &items.back();
                Item item{.flow = static_cast<uint32_t>(prng.below(flows)),
                          .level = static_cast<uint32_t>(prng.below(Queue::levels)),
                          .group = static_cast<uint32_t>(prng.below(3)),
                          .number = static_cast<uint32_t>(items.size()),
                          .unwanted = prng.chance(1, 10)};
                if (last != nullptr && last->group != 0 && prng.chance(3, 4)) {
                    item.flow = last->flow;
                    item.level = last->level;
                    item.group = last->group;
                }
                items.push_back(item);
                queue.push(&items.back());
                model.push(&items.back());
                ++waiting;
            } else if (what < 19) {
                Item* expected = model.pop();
                ASSERT_EQ(queue.front(), expected) << "seed " << seed << " step " << step;
                ASSERT_EQ(queue.pop(), expected);
                waiting -= expected != nullptr ? 1 : 0;
                popped += expected != nullptr ? 1 : 0;
            } else {
                queue.sweep(
                    static_cast<uint32_t>(prng.below(400)),
                    [](const Item& item) { return item.unwanted; },
                    [&](Item* item) {
                        ASSERT_TRUE(item->unwanted);
                        model.remove(item);
                        --waiting;
                        ++swept;
                    });
            }
            ASSERT_EQ(queue.count(), waiting);
            ASSERT_EQ(queue.empty(), waiting == 0);
        }
        while (Item* expected = model.pop()) {
            ASSERT_EQ(queue.pop(), expected) << "seed " << seed;
        }
        ASSERT_EQ(queue.pop(), nullptr);
    }
    EXPECT_GT(popped, 10'000u);
    EXPECT_GT(swept, 1'000u);
}

// One that comes to an empty flow waits for one object of every other flow, however many they have.
TEST(FairQueue, ANewFlowWaitsForOneObjectOfEachOther) {
    Queue queue;
    std::vector<Item> items(10'000);
    for (uint32_t i = 0; i < items.size(); ++i) {
        items[i].flow = i % 5;
        queue.push(&items[i]);
    }
    Item late{.flow = 77};
    queue.push(&late);
    for (int before = 0; before < 5; ++before) {
        ASSERT_NE(queue.pop(), &late);
    }
    EXPECT_EQ(queue.pop(), &late);
}

// A flow whose objects belong together in tens has no more of the whole than one whose do not.
TEST(FairQueue, GroupsAreWholeAndPaidFor) {
    Queue queue;
    std::vector<Item> items(2'000);
    for (uint32_t i = 0; i < items.size(); ++i) {
        items[i].flow = i % 2;
        items[i].group = i % 2 == 0 ? i / 20 + 1 : 0;
        queue.push(&items[i]);
    }
    uint32_t grouped = 0;
    uint32_t run = 0;
    for (int i = 0; i < 1'000; ++i) {
        const Item* item = queue.pop();
        run = item->flow == 0 ? run + 1 : 0;
        grouped += item->flow == 0 ? 1 : 0;
        if (item->flow != 0) {
            EXPECT_EQ(grouped % 10, 0u) << "something came between the objects of a group";
        }
    }
    EXPECT_NEAR(grouped, 500, 10);
}

TEST(FairQueue, ATurnEndsEvenWhereAGroupDoesNot) {
    Queue queue;
    std::vector<Item> items(100);
    for (Item& item : items) {
        item.group = 1;
        queue.push(&item);
    }
    Item other{.flow = 1};
    queue.push(&other);
    uint32_t before = 0;
    while (queue.pop() != &other) {
        ++before;
    }
    EXPECT_EQ(before, Queue::turn_max);
}

// Calls of few steps come past everything, also while objects leave between them.
TEST(FairQueue, SweepsOfFewStepsSeeEverything) {
    Queue queue;
    std::vector<Item> items(3'000);
    Prng prng(5);
    for (uint32_t i = 0; i < items.size(); ++i) {
        items[i].flow = static_cast<uint32_t>(prng.below(40));
        items[i].level = static_cast<uint32_t>(prng.below(4));
        items[i].unwanted = i % 3 == 0;
        queue.push(&items[i]);
    }
    uint32_t taken = 0;
    uint32_t left = 0;
    // Steps of one round: every object, and four lists or one look for each of 256 flows.
    const uint32_t round = 3'000 + Queue::flows_max * Queue::levels;
    for (uint32_t done = 0; done < round; done += 7) {
        queue.sweep(7, [](const Item& item) { return item.unwanted; }, [&](Item*) { ++taken; });
        if (done % 70 == 0) {
            left += queue.pop()->unwanted ? 1u : 0u;
        }
    }
    EXPECT_EQ(taken + left, 1'000u);
    EXPECT_GT(taken, 900u);
}

}  // namespace
}  // namespace sy::queue
