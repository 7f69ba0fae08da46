#include <map>
#include <set>

#include <QtTest>

#include "engine/feed/job_state.h"

using namespace espalier::feed;
using S = JobState;
using E = JobEventKind;

class TestJobState : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// Every state with every event: what is not listed must be refused.
    void wholeTable() {
        const std::map<std::pair<S, E>, S> expected{
            {{S::Queued, E::Start}, S::Preparing},          {{S::Queued, E::Stop}, S::Stopped},
            {{S::Queued, E::ProcessDied}, S::Interrupted},  {{S::Preparing, E::Ready}, S::Running},
            {{S::Preparing, E::Stop}, S::Stopping},         {{S::Preparing, E::Fail}, S::Failed},
            {{S::Preparing, E::ProcessDied}, S::Interrupted}, {{S::Running, E::Pause}, S::Paused},
            {{S::Running, E::Stop}, S::Stopping},           {{S::Running, E::StepEnded}, S::Running},
            {{S::Running, E::Finish}, S::Completed},        {{S::Running, E::Fail}, S::Failed},
            {{S::Running, E::ProcessDied}, S::Interrupted}, {{S::Paused, E::Resume}, S::Running},
            {{S::Paused, E::Stop}, S::Stopping},            {{S::Paused, E::Fail}, S::Failed},
            {{S::Paused, E::ProcessDied}, S::Interrupted},  {{S::Stopping, E::StepEnded}, S::Stopped},
            {{S::Stopping, E::Finish}, S::Completed},       {{S::Stopping, E::Fail}, S::Failed},
            {{S::Stopping, E::ProcessDied}, S::Interrupted}};
        for (int s = 0; s < kJobStateCount; ++s)
            for (int e = 0; e < kJobEventCount; ++e) {
                const auto found = expected.find({S(s), E(e)});
                const auto got = next(S(s), E(e));
                QVERIFY2((got.has_value()) == (found != expected.end()),
                         qPrintable(QStringLiteral("state %1 event %2").arg(s).arg(e)));
                if (got) QCOMPARE(*got, found->second);
            }
    }

    void finalStatesAreTheFourEnds() {
        std::set<S> ends;
        for (int s = 0; s < kJobStateCount; ++s)
            if (isFinal(S(s))) ends.insert(S(s));
        QCOMPARE(ends, (std::set<S>{S::Completed, S::Stopped, S::Failed, S::Interrupted}));
    }

    void everyStateIsReachableAndCanEnd() {
        std::set<S> seen{S::Queued};
        for (int round = 0; round < kJobStateCount; ++round)
            for (int s = 0; s < kJobStateCount; ++s)
                for (int e = 0; e < kJobEventCount; ++e)
                    if (seen.count(S(s)))
                        if (const auto to = next(S(s), E(e))) seen.insert(*to);
        QCOMPARE(seen.size(), std::size_t(kJobStateCount));
    }

    /// Buttons promise only what the table grants.
    void verbsAgreeWithTheTable() {
        for (int s = 0; s < kJobStateCount; ++s) {
            const auto state = S(s);
            QCOMPARE(canPause(state), next(state, E::Pause).has_value());
            QCOMPARE(canResume(state), next(state, E::Resume).has_value());
            QCOMPARE(canStop(state), next(state, E::Stop).has_value());
            QCOMPARE(canContinue(state), isFinal(state) && state != S::Completed);
        }
    }

    void namesGoBothWays() {
        std::set<std::string> names;
        for (int s = 0; s < kJobStateCount; ++s) {
            names.insert(jobStateName(S(s)));
            QCOMPARE(jobStateFromName(jobStateName(S(s))), std::optional<S>(S(s)));
        }
        QCOMPARE(names.size(), std::size_t(kJobStateCount));
        QCOMPARE(std::string(jobStateName(S::Interrupted)), std::string("interrupted"));
        QVERIFY(!jobStateFromName("Running"));
        QVERIFY(!jobStateFromName(""));
    }
};

QTEST_GUILESS_MAIN(TestJobState)
#include "tst_job_state.moc"
