#pragma once

#include <QObject>
#include <QStringList>

class QMimeData;
class QWidget;

namespace espalier::app {

/// What would happen to dropped paths, judged by name only: nothing is opened on the GUI thread.
struct DropPlan {
    enum class Kind { Refused, Import, Weights };
    Kind kind = Kind::Refused;
    QStringList paths;
    QString sentence;  ///< "import 412 files", or why not
};

DropPlan planDrop(const QStringList& paths);

/// Local paths of dropped or pasted data: URLs, or text that names existing files.
QStringList localPaths(const QMimeData* data);

/// Accepts drops on a window and everything inside it, shows what will happen before release, and hands the plan on.
/// GUI thread.
class DropController : public QObject {
    Q_OBJECT
public:
    explicit DropController(QWidget* window);
    /// Plan of the drag that hovers over the window (for tests).
    const DropPlan& hovering() const { return m_plan; }

Q_SIGNALS:
    void planned(const espalier::app::DropPlan& plan);  ///< released and accepted
    void refused(const QString& sentence);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void showOverlay();
    void hideOverlay();
    QWidget* m_window;
    QWidget* m_overlay = nullptr;
    DropPlan m_plan;
};

}  // namespace espalier::app
