#pragma once

#include <QColor>
#include <QFont>
#include <QHash>
#include <QObject>
#include <QPen>
#include <QStringList>
#include <QVector>

#include <array>

#include "engine/feed/dataset.h"
#include "engine/feed/job_state.h"

class QApplication;

namespace espalier::widgets {

enum class ThemeKind { Dark, Light, Contrast, FollowSystem };

/// Every colour of the interface by its role; the values stand in resources/themes/tokens.json.
enum class Color {
    Well, Panel, Raised, Hover, Pressed, Input, Popup, Tooltip, Line, Border, BorderStrong,
    Text, Text2, Text3, Disabled, Accent, AccentHover, AccentPressed, OnAccent, AccentTint,
    Selection, SelectionInactive, OnSelection, OnSelection2, Focus,
    Info, Warning, Error, Success, InfoTint, WarningTint, ErrorTint, SuccessTint,
    SplitTrain, SplitValid, SplitTest, Grid, Axis, Cursor, Band, TooltipText, TooltipText2,
};
inline constexpr int kColorCount = 42;

/// Steps of the type ramp: px / line height / weight as in LOOK.md section 3.
enum class Type { Caption, CaptionStrong, Body, BodyStrong, Title, Heading, Figure, Mono };

/// Marker shapes of quantization methods, a second code beside the hue.
enum class Marker { Ring, Square, Diamond, Triangle, Disc };

/// What is drawn for a job state: silhouette, colour and word.
struct StateLook {
    QString icon;
    Color color = Color::Text2;
    QString label;
};

/// Hue and shape of a quantization method.
struct MethodLook {
    QColor color;
    Marker marker = Marker::Disc;
    QString label;  ///< "RTN", "AdaRound", "FlexRound", "Mixed"
};

/// The one source of colours, fonts and the style sheet. GUI thread only. Painted widgets ask it in paintEvent and
/// repaint on changed(); nothing keeps a QColor over a theme switch.
class Theme : public QObject {
    Q_OBJECT
public:
    static Theme& instance();

    /// Fusion, fonts, palette and style sheet for the whole application; call once after QApplication exists.
    void install(QApplication& application, ThemeKind kind = ThemeKind::Dark);
    void setKind(ThemeKind kind);
    ThemeKind kind() const { return m_kind; }
    ThemeKind shownKind() const { return m_shown; }  ///< never FollowSystem
    bool isDark() const { return m_shown != ThemeKind::Light; }
    /// "dark", "light", "contrast", "system".
    static QString kindName(ThemeKind kind);
    static ThemeKind kindFromName(const QString& name, ThemeKind fallback = ThemeKind::Dark);

    QColor color(Color role) const { return m_colors[static_cast<std::size_t>(role)]; }
    QColor color(Color role, qreal alpha) const;
    /// A pen of one device-independent pixel; draw it at +0.5 without antialiasing.
    QPen line(Color role, qreal width = 1.0) const;

    /// Colour of a run by the index it keeps for life; beyond eight the dash tells them apart.
    QColor runColor(int colorIndex) const;
    QVector<qreal> runDash(int colorIndex) const;  ///< in px; empty = solid
    QPen runPen(int colorIndex, qreal width) const;
    QColor splitColor(feed::Split split) const;
    StateLook stateLook(feed::JobState state) const;
    /// `method` as stored: "rtn", "adaround", "flexround", "mixed"; others get a hue by hash and a disc.
    MethodLook methodLook(const QString& method) const;

    QFont font(Type type) const;
    int lineHeight(Type type) const;
    /// Size of text beside that of the system: 1, 1.25, 1.5 or 2. Heights that hold a line of text grow along.
    double textScale() const { return m_textScale; }
    void setTextScale(double scale);
    /// A length that holds text, at the present text scale.
    int scaled(int px) const;

    bool isMotionReduced() const { return m_isMotionReduced; }
    void setMotionReduced(bool isReduced);
    int duration(int ms) const { return m_isMotionReduced ? 0 : ms; }

    /// The style sheet made from the tokens (for tests).
    QString styleSheet() const;
    /// Name of a role as in tokens.json ("well", "onSelection2").
    static QString colorName(Color role);

Q_SIGNALS:
    /// Colours changed; repaint. Palette and style sheet are already the new ones.
    void changed();

private:
    friend class PaperColors;
    Theme();
    void loadTokens();
    void apply();
    void useColorsOf(ThemeKind kind);

    struct Tokens {
        std::array<QColor, kColorCount> colors;
        std::array<QColor, 8> runs;
    };
    std::array<Tokens, 3> m_themes;
    std::array<QColor, kColorCount> m_colors;
    std::array<QColor, 8> m_runColors;
    ThemeKind m_kind = ThemeKind::Dark;
    ThemeKind m_shown = ThemeKind::Dark;
    QApplication* m_application = nullptr;
    QString m_uiFamily, m_monoFamily;
    bool m_isMotionReduced = false;
    double m_textScale = 1;
};

/// While it lives the theme answers with the light colours, so that a figure is the same whatever theme it is exported
/// from. Announces nothing: for painting, which is over before the event loop runs. GUI thread.
class PaperColors {
public:
    PaperColors();
    ~PaperColors();
    PaperColors(const PaperColors&) = delete;
    PaperColors& operator=(const PaperColors&) = delete;

private:
    ThemeKind m_before;
};

/// Shorthand for Theme::instance().
inline Theme& theme() { return Theme::instance(); }

}  // namespace espalier::widgets
