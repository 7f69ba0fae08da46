#pragma once

#include <QImage>
#include <QWidget>

#include <vector>

#include "app/pages/attend_data.h"

class QLabel;

namespace espalier::app {
class NoteEdit;
struct AppContext;
}  // namespace espalier::app

namespace espalier::widgets {
class BarList;
class ElidedLabel;
class FlowLayout;
class KeyValueList;
class Section;
}  // namespace espalier::widgets

namespace espalier::app {

/// Inspector of the Attend page: the chosen image, its prediction, the query token, the head, and which heads changed
/// most, and the note of the run. GUI thread; shows what it is told.
class AttendInspector : public QWidget {
    Q_OBJECT
public:
    explicit AttendInspector(AppContext& context, QWidget* parent = nullptr);

    void setRun(const QString& run);  ///< whose note is written

    void setProbe(const AttendProbe& probe, int number, const QString& label, const QString& predicted);
    /// Class shares, best first; `shown` is the class whose contribution is drawn.
    struct Share {
        int index = 0;
        QString name;
        double share = 0;
    };
    void setPrediction(const std::vector<Share>& shares, int shown, const QString& when, const QColor& color);
    void setToken(const QString& title, const QVector<std::pair<QString, QString>>& rows);
    void setHead(const QString& title, const QVector<std::pair<QString, QString>>& rows);
    void setChanges(const std::vector<HeadChange>& changes, const QString& when);

Q_SIGNALS:
    void classPicked(int index);
    void headPicked(int layer, int head);

private:
    class ProbePicture;
    class ChangeRows;
    ProbePicture* m_picture;
    widgets::ElidedLabel* m_name;
    widgets::FlowLayout* m_chips;
    widgets::BarList* m_bars;
    widgets::KeyValueList *m_token, *m_head;
    widgets::Section *m_predictionSection, *m_tokenSection, *m_headSection, *m_changeSection;
    ChangeRows* m_changes;
    NoteEdit* m_note;
    std::vector<Share> m_shares;
    QStringList m_chipState;
};

}  // namespace espalier::app
