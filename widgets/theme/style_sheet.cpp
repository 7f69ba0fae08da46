#include "widgets/theme/style_sheet.h"

#include <QFile>
#include <QHash>
#include <QRegularExpression>

#include "widgets/theme/theme.h"

namespace espalier::widgets {

namespace {

// @name is a colour of the tokens, %name a file of the icon folder.
const char* const kSheet = R"(
QMainWindow, QDialog { background: @panel; }
QMainWindow::separator { background: @line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @borderStrong; }
QSplitter::handle { background: @line; }
QSplitter::handle:hover { background: @borderStrong; }
QToolTip { background: @tooltip; color: @tooltipText; border: 1px solid @border; padding: 3px 6px; }

QMenuBar { background: @panel; border: none; border-bottom: 1px solid @line; padding: 0 4px; }
QMenuBar::item { background: transparent; color: @text; padding: 5px 7px; margin: 2px 0; border-radius: 4px; }
QMenuBar::item:selected { background: @hover; }
QMenuBar::item:pressed { background: @pressed; }
QMenu { background: @popup; color: @text; border: 1px solid @border; padding: 4px 0; }
QMenu::item { padding: 0 24px 0 8px; height: 24px; margin: 0 4px; border-radius: 3px; }
QMenu::item:selected { background: @selection; color: @onSelection; }
QMenu::item:disabled { color: @disabled; }
QMenu::icon { padding-left: 6px; }
QMenu::separator { height: 1px; background: @line; margin: 4px 0; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 6px; }
QMenu::indicator:checked { image: url(%check); }
QMenu::right-arrow { image: url(%right); width: 12px; height: 12px; margin-right: 6px; }

QPushButton { background: @raised; color: @text; border: 1px solid @border; border-radius: 4px; min-height: 22px;
  padding: 0 10px; min-width: 34px; }
QPushButton[size="small"] { min-height: 18px; padding: 0 8px; }
QPushButton[size="large"] { min-height: 26px; padding: 0 14px; }
QPushButton:hover { background: @pressed; }
QPushButton:pressed, QPushButton:checked { background: @pressed; border-color: @borderStrong; }
QPushButton:focus { border: 2px solid @focus; padding: 0 9px; min-height: 20px; }
QPushButton[size="small"]:focus { min-height: 16px; padding: 0 7px; }
QPushButton[size="large"]:focus { min-height: 24px; padding: 0 13px; }
QPushButton:disabled { background: transparent; color: @disabled; border-color: @line; }
QPushButton[kind="primary"] { background: @accent; color: @onAccent; border-color: @accent; }
QPushButton[kind="primary"]:hover { background: @accentHover; border-color: @accentHover; }
QPushButton[kind="primary"]:pressed { background: @accentPressed; border-color: @accentPressed; }
QPushButton[kind="primary"]:focus { border-color: @focus; }
QPushButton[kind="primary"]:disabled { background: @raised; color: @disabled; border-color: @line; }
QPushButton[kind="danger"] { color: @error; }
QPushButton[kind="danger"]:disabled { color: @disabled; }
QPushButton[kind="link"] { background: transparent; border: none; color: @accent; padding: 0; min-width: 0;
  text-decoration: underline; }
QPushButton::menu-indicator { image: url(%down); width: 12px; height: 12px; right: 6px; subcontrol-position: right center; }

QToolButton { background: transparent; color: @text2; border: 1px solid transparent; border-radius: 4px; padding: 0; }
QToolButton:hover { background: @hover; }
QToolButton:pressed { background: @pressed; }
QToolButton:checked { background: @pressed; border-color: @border; }
QToolButton:focus { border: 2px solid @focus; }
QToolButton:disabled { color: @disabled; }
QToolButton::menu-indicator { image: none; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox { background: @input; color: @text;
  border: 1px solid @border; border-radius: 4px; selection-background-color: @selection; selection-color: @onSelection; }
QLineEdit { min-height: 22px; padding: 0 7px; }
QLineEdit:hover, QPlainTextEdit:hover, QTextEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover { border-color: @borderStrong; }
QLineEdit:focus { border: 2px solid @focus; padding: 0 6px; min-height: 20px; }
QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus { border: 2px solid @focus; }
QLineEdit:disabled, QPlainTextEdit:disabled, QTextEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {
  background: transparent; color: @disabled; border-color: @line; }
*[isWrong="true"] { border: 1px solid @error; }
QLineEdit[isWrong="true"]:focus, QComboBox[isWrong="true"]:focus { border: 2px solid @error; }
QSpinBox, QDoubleSpinBox { min-height: 22px; padding: 0 2px 0 5px; }
QSpinBox:focus, QDoubleSpinBox:focus { min-height: 20px; padding: 0 1px 0 4px; }
QSpinBox::up-button, QDoubleSpinBox::up-button { subcontrol-origin: border; subcontrol-position: top right; width: 18px;
  height: 11px; border: none; background: transparent; margin: 1px 2px 0 0; }
QSpinBox::down-button, QDoubleSpinBox::down-button { subcontrol-origin: border; subcontrol-position: bottom right;
  width: 18px; height: 11px; border: none; background: transparent; margin: 0 2px 1px 0; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url(%up); width: 10px; height: 10px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url(%down); width: 10px; height: 10px; }

QComboBox { background: @raised; color: @text; border: 1px solid @border; border-radius: 4px; min-height: 22px;
  padding: 0 4px 0 8px; }
QComboBox:hover { background: @pressed; }
QComboBox:focus, QComboBox:on { border: 2px solid @focus; padding: 0 3px 0 7px; min-height: 20px; }
QComboBox:disabled { background: transparent; color: @disabled; border-color: @line; }
QComboBox::drop-down { border: none; width: 20px; subcontrol-origin: border; subcontrol-position: center right; }
QComboBox::down-arrow { image: url(%down); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: @popup; border: 1px solid @border; outline: none; padding: 4px;
  selection-background-color: @selection; selection-color: @onSelection; }
QComboBox QAbstractItemView::item { min-height: 24px; padding: 0 4px; }

QCheckBox, QRadioButton { color: @text; spacing: 8px; }
QCheckBox:disabled, QRadioButton:disabled { color: @disabled; }
QCheckBox::indicator { width: 12px; height: 12px; border: 1px solid @borderStrong; border-radius: 3px; background: @input; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url(%checkOn); }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border: 2px solid @focus; }
QCheckBox:focus { outline: none; }
QCheckBox::indicator:disabled { border-color: @line; background: transparent; }
QRadioButton::indicator { width: 12px; height: 12px; border: 1px solid @borderStrong; border-radius: 7px; background: @input; }
QRadioButton::indicator:checked { border: 4px solid @accent; width: 6px; height: 6px; background: @input; }

QAbstractScrollArea { background: transparent; border: none; }
QTreeView, QListView, QTableView { background: transparent; color: @text; border: none; outline: none;
  selection-background-color: @selection; selection-color: @onSelection; gridline-color: @line; }
QTreeView::item, QListView::item, QTableView::item { border: none; }
QTreeView::item:hover, QListView::item:hover, QTableView::item:hover { background: @hover; }
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected { background: @selection; color: @onSelection; }
QTreeView::item:selected:!active, QListView::item:selected:!active, QTableView::item:selected:!active {
  background: @selectionInactive; color: @text; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: transparent; color: @text2; border: none; border-bottom: 1px solid @line;
  padding: 0 8px; height: 23px; font-size: 11px; }
QHeaderView::section:hover { background: @hover; }
QTableCornerButton::section { background: transparent; border: none; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @border; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 24px; }
QScrollBar::handle:horizontal { min-width: 24px; }
QScrollBar::handle:hover { background: @borderStrong; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }

QStatusBar { background: @panel; border-top: 1px solid @line; color: @text2; }
QStatusBar::item { border: none; }
QDockWidget { background: @panel; color: @text; }
QDockWidget::title { background: @panel; padding: 6px 12px; }
QTabBar { background: @panel; }
QTabBar::tab { background: transparent; color: @text2; padding: 4px 10px; border: none; }
QTabBar::tab:selected { color: @text; background: @well; border-top: 2px solid @accent; }
QProgressBar { background: @pressed; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }
)";

struct StyleIcon {
    const char* key;
    const char* path;  ///< path data on the 16 px grid
    Color role;
    double stroke;
};

const StyleIcon kStyleIcons[] = {
    {"checkOn", "M3.5 8.25l3 3 6-6.5", Color::OnAccent, 2.2},
    {"check", "M3.5 8.25l3 3 6-6.5", Color::Text, 1.6},
    {"down", "M3.75 6 8 10.25 12.25 6", Color::Text2, 1.7},
    {"up", "M3.75 10.25 8 6 12.25 10.25", Color::Text2, 1.7},
    {"right", "M6 3.75 10.25 8 6 12.25", Color::Text2, 1.7},
};

// Boxes around a line of text: 16 px of every such height are the line, the rest is padding and border.
QString withTextScale(QString sheet, const Theme& theme) {
    if (theme.textScale() == 1) return sheet;
    static const QRegularExpression length(QStringLiteral("\\b(min-height|height|font-size): (\\d+)px"));
    QString scaled;
    qsizetype from = 0;
    for (auto it = length.globalMatch(sheet); it.hasNext();) {
        const QRegularExpressionMatch match = it.next();
        const int px = match.captured(2).toInt();
        // Arrows, indicators and lines stay; text boxes start at 16 px, fonts at 11.
        const bool isFont = match.captured(1) == QStringLiteral("font-size");
        const int grown = isFont ? theme.scaled(px) : px >= 16 ? px - 16 + theme.scaled(16) : px;
        scaled += sheet.mid(from, match.capturedStart() - from) + match.captured(1) + QStringLiteral(": %1px").arg(grown);
        from = match.capturedEnd();
    }
    return scaled + sheet.mid(from);
}

QString iconFile(const Theme& theme, const QString& folder, const char* key) {
    return folder + u'/' + Theme::kindName(theme.shownKind()) + u'-' + QString::fromLatin1(key) + QStringLiteral(".svg");
}

}  // namespace

void writeStyleIcons(const Theme& theme, const QString& iconFolder) {
    for (const StyleIcon& icon : kStyleIcons) {
        QFile file(iconFile(theme, iconFolder, icon.key));
        if (!file.open(QIODevice::WriteOnly)) continue;
        const QString svg =
            QStringLiteral("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"16\" height=\"16\" viewBox=\"0 0 16 16\" "
                           "fill=\"none\" stroke=\"%1\" stroke-width=\"%2\" stroke-linecap=\"round\" "
                           "stroke-linejoin=\"round\"><path d=\"%3\"/></svg>")
                .arg(theme.color(icon.role).name(), QString::number(icon.stroke), QString::fromLatin1(icon.path));
        file.write(svg.toUtf8());
    }
}

QString makeStyleSheet(const Theme& theme, const QString& iconFolder) {
    QHash<QString, QString> values;
    for (int i = 0; i < kColorCount; ++i) {
        const auto role = static_cast<Color>(i);
        const QColor color = theme.color(role);
        values.insert(Theme::colorName(role), color.alpha() == 255 ? color.name() : color.name(QColor::HexArgb));
    }
    QHash<QString, QString> files;
    for (const StyleIcon& icon : kStyleIcons)
        files.insert(QString::fromLatin1(icon.key), iconFile(theme, iconFolder, icon.key));

    QString source = QString::fromLatin1(kSheet);
    for (int i = 0; i < kColorCount; ++i) {
        const QString name = Theme::colorName(static_cast<Color>(i));
        source += QStringLiteral("QLabel[ink=\"%1\"] { color: @%1; }\n").arg(name);
    }
    source = withTextScale(source, theme);
    QString sheet;
    sheet.reserve(source.size() * 2);
    for (qsizetype i = 0; i < source.size();) {
        const QChar c = source[i];
        if (c != u'@' && c != u'%') {
            sheet += c;
            ++i;
            continue;
        }
        qsizetype end = i + 1;
        while (end < source.size() && source[end].isLetterOrNumber()) ++end;
        const QString name = source.mid(i + 1, end - i - 1);
        sheet += c == u'@' ? values.value(name) : files.value(name);
        i = end;
    }
    return sheet;
}

}  // namespace espalier::widgets
