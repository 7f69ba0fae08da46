#include <atomic>
#include <memory>
#include <thread>

#include <QtTest>

#include "engine/feed/inbox.h"

using namespace espalier::feed;

class TestInbox : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void keepsOrderAndWakesOncePerBurst() {
        Inbox<int> box;
        int wakes = 0;
        box.setWake([&] { ++wakes; });
        box.push(1);
        box.push(2);
        QCOMPARE(wakes, 1);
        QCOMPARE(box.drain(), (std::vector<int>{1, 2}));
        QVERIFY(box.drain().empty());
        box.push(3);
        QCOMPARE(wakes, 2);
        QCOMPARE(box.drain(), std::vector<int>{3});
    }

    void wakeMayUseTheBox() {
        Inbox<int> box;
        std::vector<int> got;
        box.setWake([&] { got = box.drain(); });  // would deadlock if called under the lock
        box.push(5);
        QCOMPARE(got, std::vector<int>{5});
    }

    void movesValues() {
        Inbox<std::unique_ptr<int>> box;
        box.push(std::make_unique<int>(4));
        QCOMPARE(*box.drain().front(), 4);
    }

    /// Four threads, one reader that drains only when woken: nothing is lost, each thread's order holds.
    void losesNothingUnderLoad() {
        constexpr int kThreads = 4, kEach = 20000;
        Inbox<std::pair<int, int>> box;
        std::atomic<int> wakes = 0;
        box.setWake([&] { ++wakes; wakes.notify_one(); });
        std::vector<std::thread> producers;
        for (int t = 0; t < kThreads; ++t)
            producers.emplace_back([&, t] {
                for (int i = 0; i < kEach; ++i) box.push({t, i});
            });
        std::vector<int> expected(kThreads, 0);
        int total = 0, handled = 0;
        while (total < kThreads * kEach) {
            wakes.wait(handled);
            handled = wakes.load();
            for (const auto& [thread, i] : box.drain()) {
                QCOMPARE(i, expected[std::size_t(thread)]);
                ++expected[std::size_t(thread)];
                ++total;
            }
        }
        for (auto& producer : producers) producer.join();
        QVERIFY(box.drain().empty());
    }

    void latestSlotKeepsTheNewest() {
        LatestSlot<int> slot;
        int wakes = 0;
        slot.setWake([&] { ++wakes; });
        QVERIFY(!slot.take());
        slot.put(1);
        slot.put(2);
        QCOMPARE(wakes, 1);
        QCOMPARE(slot.take(), std::optional<int>(2));
        QVERIFY(!slot.take());
        slot.put(3);
        QCOMPARE(wakes, 2);
    }
};

QTEST_GUILESS_MAIN(TestInbox)
#include "tst_inbox.moc"
