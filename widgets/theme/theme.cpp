#include "widgets/theme/theme.h"

#include <QApplication>
#include <QFile>
#include <QFontDatabase>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPalette>
#include <QProxyStyle>
#include <QStyle>
#include <QTemporaryDir>
#include <QWidget>

#include <algorithm>
#include <cmath>

#include "engine/base/assert.h"
#include "widgets/theme/style_sheet.h"

namespace espalier::widgets {

namespace {

const char* const kColorNames[kColorCount] = {
    "well", "panel", "raised", "hover", "pressed", "input", "popup", "tooltip", "line", "border", "borderStrong",
    "text", "text2", "text3", "disabled", "accent", "accentHover", "accentPressed", "onAccent", "accentTint",
    "selection", "selectionInactive", "onSelection", "onSelection2", "focus",
    "info", "warning", "error", "success", "infoTint", "warningTint", "errorTint", "successTint",
    "splitTrain", "splitValid", "splitTest", "grid", "axis", "cursor", "band", "tooltipText", "tooltipText2"};

// The tokens write alpha last, Qt reads it first.
QColor colorFromToken(const QString& text) {
    if (text.size() != 9) return QColor(text);
    QColor color(text.left(7));
    color.setAlpha(text.mid(7).toInt(nullptr, 16));
    return color;
}

/// Fusion with the habits of the house: no underlined letters, one delay for tool tips.
class HouseStyle : public QProxyStyle {
public:
    HouseStyle() : QProxyStyle(QStringLiteral("Fusion")) {}
    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* data) const override {
        if (hint == SH_UnderlineShortcut) return 0;
        if (hint == SH_ToolTip_WakeUpDelay) return 350;
        if (hint == SH_ItemView_ActivateItemOnSingleClick) return 0;
        if (hint == SH_EtchDisabledText) return 0;
        return QProxyStyle::styleHint(hint, option, widget, data);
    }
};

QTemporaryDir& iconFolder() {
    static QTemporaryDir folder;
    return folder;
}

}  // namespace

Theme& Theme::instance() {
    static Theme theme;
    return theme;
}

Theme::Theme() : m_uiFamily(QStringLiteral("sans-serif")), m_monoFamily(QStringLiteral("monospace")) { loadTokens(); }

QString Theme::colorName(Color role) { return QString::fromLatin1(kColorNames[static_cast<int>(role)]); }

void Theme::loadTokens() {
    QFile file(QStringLiteral(":/espalier/themes/tokens.json"));
    const bool isOpen = file.open(QIODevice::ReadOnly);
    ESPALIER_ASSERT(isOpen, "the tokens are compiled in through resources.qrc");
    const QJsonObject root = QJsonDocument::fromJson(file.readAll()).object();
    const QJsonObject themes = root[QStringLiteral("themes")].toObject();
    const QStringList names{QStringLiteral("dark"), QStringLiteral("light"), QStringLiteral("contrast")};
    const QJsonArray order = root[QStringLiteral("runColorOrder")].toArray();
    for (std::size_t t = 0; t < 3; ++t) {
        const QJsonObject one = themes[names[static_cast<qsizetype>(t)]].toObject();
        const QJsonObject colors = one[QStringLiteral("colors")].toObject();
        for (int i = 0; i < kColorCount; ++i)
            m_themes[t].colors[static_cast<std::size_t>(i)] =
                colorFromToken(colors[QString::fromLatin1(kColorNames[i])].toString());
        const QJsonObject runs = one[QStringLiteral("runColors")].toObject();
        for (int i = 0; i < 8; ++i)
            m_themes[t].runs[static_cast<std::size_t>(i)] = colorFromToken(runs[order[i].toString()].toString());
    }
    m_colors = m_themes[0].colors;
    m_runColors = m_themes[0].runs;
}

void Theme::install(QApplication& application, ThemeKind kind) {
    m_application = &application;
    for (const char* name : {"EspalierInter-Regular.otf", "EspalierInter-Medium.otf", "EspalierInter-SemiBold.otf"}) {
        const int id = QFontDatabase::addApplicationFont(QStringLiteral(":/espalier/fonts/") + QString::fromLatin1(name));
        if (id >= 0) m_uiFamily = QFontDatabase::applicationFontFamilies(id).value(0, m_uiFamily);
    }
    const int mono = QFontDatabase::addApplicationFont(QStringLiteral(":/espalier/fonts/EspalierMono-Regular.ttf"));
    if (mono >= 0) m_monoFamily = QFontDatabase::applicationFontFamilies(mono).value(0, m_monoFamily);
    QApplication::setStyle(new HouseStyle);
    QApplication::setFont(font(Type::Body));
    m_kind = kind;
    apply();
}

void Theme::setKind(ThemeKind kind) {
    if (kind == m_kind) return;
    m_kind = kind;
    apply();
}

QString Theme::kindName(ThemeKind kind) {
    switch (kind) {
        case ThemeKind::Dark: return QStringLiteral("dark");
        case ThemeKind::Light: return QStringLiteral("light");
        case ThemeKind::Contrast: return QStringLiteral("contrast");
        case ThemeKind::FollowSystem: break;
    }
    return QStringLiteral("system");
}

ThemeKind Theme::kindFromName(const QString& name, ThemeKind fallback) {
    for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light, ThemeKind::Contrast, ThemeKind::FollowSystem})
        if (kindName(kind) == name) return kind;
    return fallback;
}

void Theme::apply() {
    m_shown = m_kind;
    if (m_kind == ThemeKind::FollowSystem) {
        // Qt 6.4 tells the scheme only through the style's own palette.
        const QPalette system = m_application ? m_application->style()->standardPalette() : QPalette();
        m_shown = system.color(QPalette::Window).lightnessF() < 0.5 ? ThemeKind::Dark : ThemeKind::Light;
    }
    useColorsOf(m_shown);
    if (!m_application) return;

    QPalette palette;
    palette.setColor(QPalette::Window, color(Color::Panel));
    palette.setColor(QPalette::Base, color(Color::Input));
    palette.setColor(QPalette::AlternateBase, color(Color::Panel));
    palette.setColor(QPalette::Button, color(Color::Raised));
    palette.setColor(QPalette::Text, color(Color::Text));
    palette.setColor(QPalette::WindowText, color(Color::Text));
    palette.setColor(QPalette::ButtonText, color(Color::Text));
    palette.setColor(QPalette::BrightText, color(Color::Text));
    palette.setColor(QPalette::PlaceholderText, color(Color::Text3));
    palette.setColor(QPalette::Highlight, color(Color::Selection));
    palette.setColor(QPalette::HighlightedText, color(Color::OnSelection));
    palette.setColor(QPalette::ToolTipBase, color(Color::Tooltip));
    palette.setColor(QPalette::ToolTipText, color(Color::TooltipText));
    palette.setColor(QPalette::Link, color(Color::Accent));
    palette.setColor(QPalette::LinkVisited, color(Color::Accent));
    palette.setColor(QPalette::Light, color(Color::Border));
    palette.setColor(QPalette::Mid, color(Color::Line));
    palette.setColor(QPalette::Dark, color(Color::Line));
    palette.setColor(QPalette::Shadow, color(Color::Line));
    for (const auto role : {QPalette::Text, QPalette::WindowText, QPalette::ButtonText, QPalette::HighlightedText})
        palette.setColor(QPalette::Disabled, role, color(Color::Disabled));
    m_application->setPalette(palette);
    writeStyleIcons(*this, iconFolder().path());
    m_application->setStyleSheet(styleSheet());
    Q_EMIT changed();
    for (QWidget* widget : QApplication::allWidgets()) widget->update();
}

void Theme::useColorsOf(ThemeKind kind) {
    const Tokens& tokens = m_themes[static_cast<std::size_t>(kind)];
    m_shown = kind;
    m_colors = tokens.colors;
    m_runColors = tokens.runs;
}

PaperColors::PaperColors() : m_before(theme().shownKind()) { theme().useColorsOf(ThemeKind::Light); }
PaperColors::~PaperColors() { theme().useColorsOf(m_before); }

QString Theme::styleSheet() const { return makeStyleSheet(*this, iconFolder().path()); }

QColor Theme::color(Color role, qreal alpha) const {
    QColor color = this->color(role);
    color.setAlphaF(static_cast<float>(alpha));
    return color;
}

QPen Theme::line(Color role, qreal width) const {
    QPen pen(color(role), width);
    pen.setCosmetic(false);
    return pen;
}

QColor Theme::runColor(int colorIndex) const { return m_runColors[static_cast<std::size_t>(std::max(0, colorIndex) % 8)]; }

QVector<qreal> Theme::runDash(int colorIndex) const {
    if (colorIndex < 8) return {};
    return (colorIndex / 8) % 2 == 1 ? QVector<qreal>{6, 3} : QVector<qreal>{2, 2};
}

QPen Theme::runPen(int colorIndex, qreal width) const {
    const bool isYellow = std::max(0, colorIndex) % 8 == 6;
    QPen pen(runColor(colorIndex), isYellow ? std::max(width, 2.0) : width);
    pen.setJoinStyle(Qt::RoundJoin);
    QVector<qreal> dash = runDash(colorIndex);
    for (qreal& length : dash) length /= pen.widthF();  // QPen counts dashes in pen widths
    if (!dash.isEmpty()) {
        pen.setDashPattern(dash);
        pen.setCapStyle(Qt::FlatCap);
    }
    return pen;
}

QColor Theme::splitColor(feed::Split split) const {
    switch (split) {
        case feed::Split::Train: return color(Color::SplitTrain);
        case feed::Split::Valid: return color(Color::SplitValid);
        case feed::Split::Test: break;
    }
    return color(Color::SplitTest);
}

StateLook Theme::stateLook(feed::JobState state) const {
    switch (state) {
        case feed::JobState::Queued: return {QStringLiteral("state-queued"), Color::Text2, tr("Queued")};
        case feed::JobState::Preparing: return {QStringLiteral("state-preparing"), Color::Info, tr("Preparing")};
        case feed::JobState::Running: return {QStringLiteral("state-running"), Color::Accent, tr("Running")};
        case feed::JobState::Paused: return {QStringLiteral("state-paused"), Color::Warning, tr("Paused")};
        case feed::JobState::Stopping: return {QStringLiteral("state-stopping"), Color::Warning, tr("Stopping")};
        case feed::JobState::Completed: return {QStringLiteral("state-completed"), Color::Success, tr("Completed")};
        case feed::JobState::Stopped: return {QStringLiteral("state-stopped"), Color::Text2, tr("Stopped")};
        case feed::JobState::Failed: return {QStringLiteral("state-failed"), Color::Error, tr("Failed")};
        case feed::JobState::Interrupted: break;
    }
    return {QStringLiteral("state-interrupted"), Color::Warning, tr("Interrupted")};
}

MethodLook Theme::methodLook(const QString& method) const {
    if (method == QLatin1String("rtn")) return {color(Color::Text2), Marker::Ring, QStringLiteral("RTN")};
    if (method == QLatin1String("adaround")) return {runColor(1), Marker::Square, QStringLiteral("AdaRound")};
    if (method == QLatin1String("flexround")) return {runColor(0), Marker::Diamond, QStringLiteral("FlexRound")};
    if (method == QLatin1String("mixed")) return {runColor(2), Marker::Triangle, tr("Mixed")};
    if (method.isEmpty() || method == QLatin1String("fp")) return {color(Color::Text), Marker::Disc, QStringLiteral("fp32")};
    uint hash = 0;  // own hash: qHash is seeded per process and the hue must stay
    for (const QChar c : method) hash = hash * 31 + c.unicode();
    return {runColor(3 + static_cast<int>(hash % 3)), Marker::Disc, method};
}

QFont Theme::font(Type type) const {
    QFont font(type == Type::Mono ? m_monoFamily : m_uiFamily);
    font.setStyleHint(type == Type::Mono ? QFont::Monospace : QFont::SansSerif);
    int px = 12;
    QFont::Weight weight = QFont::Normal;
    switch (type) {
        case Type::Caption: px = 11; break;
        case Type::CaptionStrong: px = 11; weight = QFont::DemiBold; break;
        case Type::Body: break;
        case Type::BodyStrong: weight = QFont::DemiBold; break;
        case Type::Title: px = 14; weight = QFont::DemiBold; break;
        case Type::Heading: px = 18; weight = QFont::DemiBold; break;
        case Type::Figure: px = 20; weight = QFont::Medium; break;
        case Type::Mono: px = 11; break;
    }
    font.setPixelSize(scaled(px));
    font.setWeight(weight);
    font.setHintingPreference(QFont::PreferNoHinting);
    return font;
}

int Theme::lineHeight(Type type) const {
    switch (type) {
        case Type::Caption:
        case Type::CaptionStrong: return scaled(14);
        case Type::Body:
        case Type::BodyStrong:
        case Type::Mono: return scaled(16);
        case Type::Title: return scaled(20);
        case Type::Heading:
        case Type::Figure: break;
    }
    return scaled(24);
}

int Theme::scaled(int px) const { return static_cast<int>(std::lround(px * m_textScale)); }

void Theme::setTextScale(double scale) {
    scale = std::clamp(scale, 1.0, 2.0);
    if (scale == m_textScale) return;
    m_textScale = scale;
    if (!m_application) return;
    QApplication::setFont(font(Type::Body));
    apply();
}

void Theme::setMotionReduced(bool isReduced) {
    m_isMotionReduced = isReduced;
    Q_EMIT changed();
}

}  // namespace espalier::widgets
