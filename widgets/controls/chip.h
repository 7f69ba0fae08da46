#pragma once

#include <QAbstractButton>

#include "engine/feed/job_state.h"
#include "widgets/theme/theme.h"

namespace espalier::widgets {

/// Small word in a box of 20 px: a filter that is on or off, a tag that can be taken away, or a plain fact.
class Chip : public QAbstractButton {
    Q_OBJECT
public:
    enum class Kind { Plain, Toggle, Removable };
    explicit Chip(const QString& text, Kind kind = Kind::Plain, QWidget* parent = nullptr);

    void setIconName(const QString& name, Color role = Color::Text2);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

Q_SIGNALS:
    void removeClicked();

protected:
    void paintEvent(QPaintEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void enterEvent(QEnterEvent*) override;
    void leaveEvent(QEvent*) override;

private:
    QRect closeRect() const;
    Kind m_kind;
    QString m_iconName;
    Color m_iconRole = Color::Text2;
};

/// Word on a tint: amber "27 points above 2.6", or a job state with its silhouette. Clickable when connected.
class Badge : public QAbstractButton {
    Q_OBJECT
public:
    enum class Kind { Neutral, Info, Warning, Error, Success };
    explicit Badge(const QString& text, Kind kind = Kind::Neutral, QWidget* parent = nullptr);
    static Badge* forState(feed::JobState state, QWidget* parent = nullptr);
    void setState(feed::JobState state);
    void setKind(Kind kind);
    void setIconName(const QString& name);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent*) override;

private:
    Kind m_kind;
    QString m_iconName;
    Color m_iconRole = Color::Text2;
};

/// Colour swatch of a run: filled = shown, outline = hidden; a click toggles.
class Swatch : public QAbstractButton {
    Q_OBJECT
public:
    explicit Swatch(int colorIndex, bool isShown = true, QWidget* parent = nullptr);
    void setColorIndex(int index);
    QSize sizeHint() const override;
    /// The drawing alone, for delegates.
    static void paint(QPainter& painter, const QRect& cell, int colorIndex, bool isShown, bool isOnContrastSelection);

protected:
    void paintEvent(QPaintEvent*) override;

private:
    int m_colorIndex;
};

}  // namespace espalier::widgets
