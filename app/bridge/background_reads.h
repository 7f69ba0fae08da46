#pragma once

#include <QFuture>
#include <QHash>
#include <QObject>
#include <QPointer>
#include <QString>
#include <QThreadPool>
#include <QtConcurrentRun>

#include <type_traits>
#include <utility>

namespace espalier::app {

/// Reads from the workspace on a private pool and brings the result back to the GUI thread. Of requests with the same
/// owner and slot only the newest is delivered; nothing is delivered to an owner that is gone.
class BackgroundReads : public QObject {
    Q_OBJECT
public:
    explicit BackgroundReads(QObject* parent = nullptr);
    ~BackgroundReads() override;  ///< waits for the reads under way

    /// `work` runs on the pool (capture values and the shared workspace pointer only), `done` on the GUI thread.
    ///     reads.run(this, u"maps"_qs, [ws, id] { return ws->arrays(id); }, [this](auto result) { … });
    template <class Work, class Done>
    void run(QObject* owner, const QString& slot, Work work, Done done) {
        using Value = std::invoke_result_t<Work&>;
        const auto key = std::make_pair(static_cast<const void*>(owner), slot);
        const quint64 generation = ++m_generation;
        m_newest.insert(key, generation);
        ++m_pending;
        ++m_pendingOf[owner];
        QPointer<QObject> alive(owner);
        const void* ownerKey = owner;
        QtConcurrent::run(&m_pool, std::move(work))
            .then(this, [this, key, generation, alive, ownerKey, done = std::move(done)](QFuture<Value> future) mutable {
                --m_pending;
                if (--m_pendingOf[ownerKey] <= 0) m_pendingOf.remove(ownerKey);
                const bool isNewest = m_newest.value(key) == generation;
                if (isNewest) m_newest.remove(key);
                if (alive && isNewest) done(future.takeResult());
                if (m_pending == 0) Q_EMIT idle();
            });
    }

    /// Nothing under way for this owner (null = for anybody).
    bool isIdle(const QObject* owner = nullptr) const {
        return owner ? m_pendingOf.value(owner) == 0 : m_pending == 0;
    }
    /// Forgets requests of this owner and slot that are still under way.
    void cancel(const QObject* owner, const QString& slot) {
        m_newest.remove(std::make_pair(static_cast<const void*>(owner), slot));
    }

Q_SIGNALS:
    void idle();

private:
    QThreadPool m_pool;
    QHash<std::pair<const void*, QString>, quint64> m_newest;
    QHash<const void*, int> m_pendingOf;
    quint64 m_generation = 0;
    int m_pending = 0;
};

}  // namespace espalier::app
