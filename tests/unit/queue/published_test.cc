#include "core/queue/published.h"

#include <atomic>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace sy::queue {
namespace {

// Counts its living instances and holds a value that is overwritten when it dies.
struct Tracked {
    explicit Tracked(int v, std::atomic<int>& counter) : value(v), alive(counter) { ++alive; }
    ~Tracked() {
        value = -1;
        --alive;
    }
    Tracked(const Tracked&) = delete;
    Tracked& operator=(const Tracked&) = delete;
    int value;
    std::atomic<int>& alive;
};

TEST(Published, OldObjectLivesUntilEveryOnlineReaderWasQuiescent) {
    std::atomic<int> alive{0};
    Published<Tracked> published(2);
    published.publish(std::make_unique<const Tracked>(1, alive));
    published.online(0);
    published.online(1);
    const Tracked* held = published.load();
    published.publish(std::make_unique<const Tracked>(2, alive));
    EXPECT_EQ(published.reclaim(), 1u);
    published.quiescent(0);
    EXPECT_EQ(published.reclaim(), 1u);
    EXPECT_EQ(held->value, 1);
    EXPECT_EQ(alive.load(), 2);
    published.quiescent(1);
    EXPECT_EQ(published.reclaim(), 0u);
    EXPECT_EQ(alive.load(), 1);
    EXPECT_EQ(published.load()->value, 2);
}

TEST(Published, AReaderThatIsOfflineHoldsNothingBack) {
    std::atomic<int> alive{0};
    Published<Tracked> published(2);
    published.publish(std::make_unique<const Tracked>(1, alive));
    published.online(0);
    published.publish(std::make_unique<const Tracked>(2, alive));
    published.quiescent(0);
    EXPECT_EQ(published.reclaim(), 0u);
    published.publish(std::make_unique<const Tracked>(3, alive));
    published.offline(0);
    EXPECT_EQ(published.reclaim(), 0u);
    EXPECT_EQ(alive.load(), 1);
}

TEST(Published, AReaderNeverSeesAnObjectThatWasFreed) {
    std::atomic<int> alive{0};
    std::atomic<bool> stop{false};
    Published<Tracked> published(1);
    published.publish(std::make_unique<const Tracked>(1, alive));
    std::thread reader([&] {
        published.online(0);
        int last = 0;
        while (!stop.load()) {
            const Tracked* object = published.load();
            EXPECT_GE(object->value, last);
            last = object->value;
            published.quiescent(0);
        }
        published.offline(0);
    });
    for (int i = 2; i < 2000; ++i) {
        published.publish(std::make_unique<const Tracked>(i, alive));
        published.reclaim();
    }
    stop.store(true);
    reader.join();
    EXPECT_EQ(published.reclaim(), 0u);
    EXPECT_EQ(alive.load(), 1);
}

}  // namespace
}  // namespace sy::queue
