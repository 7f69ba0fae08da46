#include "app/settings/settings_dialog.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>

#include "app/pages/new_run_row.h"
#include "app/settings/key_settings.h"
#include "app/settings/settings.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/segmented_control.h"

namespace espalier::app {

using widgets::Color;
using widgets::SegmentedControl;
using widgets::ThemeKind;
using widgets::Type;

namespace {
constexpr int kNameWidth = 132;
}

SettingsDialog::SettingsDialog(AppContext& context, const QList<QAction*>& actions,
                               const QHash<QString, QList<QKeySequence>>& defaultKeys, QWidget* parent)
    : QDialog(parent) {
    setWindowTitle(tr("Settings"));
    resize(640, 560);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 12, 4, 12);
    layout->setSpacing(10);
    auto* top = new QHBoxLayout;
    top->setContentsMargins(0, 0, 12, 0);
    m_search = new widgets::FilterField(tr("Search settings and keys"), QStringLiteral("search"), false, this);
    top->addWidget(m_search);
    layout->addLayout(top);
    auto* content = new QWidget;
    m_rows = new QVBoxLayout(content);
    m_rows->setContentsMargins(0, 0, 12, 0);
    m_rows->setSpacing(0);
    buildLook(context);
    m_keys = new KeySettings(*context.settings, actions, defaultKeys, content);
    addHeading(tr("Keys"));
    for (KeySettings::Row& row : m_keys->rows()) {
        m_rows->addWidget(row.form);
        m_all.push_back({row.form, m_heading, row.words, row.id});
    }
    buildFiles(context);
    m_nothing = widgets::makeLabel(tr("No setting has these words."), Type::Body, Color::Text3, content);
    m_nothing->hide();
    m_rows->addWidget(m_nothing);
    m_rows->addStretch(1);
    auto* area = new QScrollArea(this);
    area->setFrameShape(QFrame::NoFrame);
    area->setWidgetResizable(true);
    area->setFocusPolicy(Qt::NoFocus);
    area->setWidget(content);
    area->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    layout->addWidget(area, 1);
    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(0, 0, 12, 0);
    QPushButton* close = widgets::makeButton(tr("Close"));
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    buttons->addStretch(1);
    buttons->addWidget(close);
    layout->addLayout(buttons);
    connect(m_search, &QLineEdit::textChanged, this, &SettingsDialog::find);
    m_search->setFocus();
}

void SettingsDialog::addHeading(const QString& title) {
    if (m_heading) m_rows->addSpacing(8);
    m_heading = widgets::makeLabel(title, Type::BodyStrong, Color::Text, this);
    m_heading->setContentsMargins(0, 0, 0, 6);
    m_rows->addWidget(m_heading);
}

FormRow* SettingsDialog::addRow(const QString& name, const QString& words, QWidget* editor, const QString& hint) {
    auto* row = new FormRow(words, this);
    row->setLabelWidth(kNameWidth);
    editor->setParent(row);
    row->setEditor(editor);
    row->setHint(hint);
    m_rows->addWidget(row);
    m_all.push_back({row, m_heading, words + u' ' + hint, name});
    return row;
}

void SettingsDialog::buildLook(AppContext& context) {
    Settings* settings = context.settings;
    addHeading(tr("Look"));
    const QList<ThemeKind> kinds{ThemeKind::Dark, ThemeKind::Light, ThemeKind::Contrast, ThemeKind::FollowSystem};
    auto* theme = new SegmentedControl({tr("Dark"), tr("Light"), tr("High contrast"), tr("As the system")}, this);
    theme->setCurrentIndex(static_cast<int>(kinds.indexOf(widgets::theme().kind())));
    connect(theme, &SegmentedControl::currentChanged, this, [settings, kinds](int index) {
        settings->setThemeKind(kinds[index]);
        widgets::theme().setKind(kinds[index]);
    });
    addRow(QStringLiteral("theme"), tr("theme"), theme, tr("dark by default"));
    const QList<double> scales{1, 1.25, 1.5, 2};
    auto* scale = new SegmentedControl({tr("100 %"), tr("125 %"), tr("150 %"), tr("200 %")}, this);
    scale->setObjectName(QStringLiteral("textScale"));
    scale->setCurrentIndex(static_cast<int>(std::max<qsizetype>(0, scales.indexOf(widgets::theme().textScale()))));
    connect(scale, &SegmentedControl::currentChanged, this, [settings, scales](int index) {
        settings->setTextScale(scales[index]);
        widgets::theme().setTextScale(scales[index]);
    });
    addRow(QStringLiteral("text-size"), tr("text size"), scale, tr("100 % by default; beside the scale of the system"));
    auto* motion = new QCheckBox(tr("panels and progress do not move"), this);
    motion->setChecked(widgets::theme().isMotionReduced());
    connect(motion, &QCheckBox::toggled, this, [settings](bool isOn) {
        settings->setMotionReduced(isOn);
        widgets::theme().setMotionReduced(isOn);
    });
    addRow(QStringLiteral("reduce-motion"), tr("reduce motion"), motion, tr("off by default"));
}

void SettingsDialog::buildFiles(AppContext& context) {
    addHeading(tr("Files"));
    const auto path = [this](const QString& words) {
        QLabel* label = widgets::makeLabel(words, Type::Mono, Color::Text2, this);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
        return label;
    };
    addRow(QStringLiteral("settings-file"), tr("settings"), path(context.settings->file()), {});
    addRow(QStringLiteral("workspace-folder"), tr("workspace"), path(QString::fromStdString(context.workspace->folder().string())), {});
    QPushButton* clear = widgets::makeButton(tr("Clear"), {}, widgets::ButtonKind::Normal, widgets::ControlSize::Normal, this);
    connect(clear, &QPushButton::clicked, this, [settings = context.settings] {
        settings->clearRecentFiles();
        settings->clearRecentWorkspaces();
    });
    addRow(QStringLiteral("recent"), tr("recent files"), clear, tr("forgets the lists of recent data and workspaces"));
}

void SettingsDialog::find(const QString& words) {
    const QStringList wanted = words.toLower().split(u' ', Qt::SkipEmptyParts);
    QHash<QLabel*, bool> headings;
    bool isAny = false;
    for (const Row& row : m_all) {
        const QString text = (row.words + u' ' + row.heading->text()).toLower();
        const bool isFound = std::all_of(wanted.begin(), wanted.end(), [&](const QString& word) { return text.contains(word); });
        row.widget->setVisible(isFound);
        headings[row.heading] |= isFound;
        isAny = isAny || isFound;
    }
    for (auto it = headings.begin(); it != headings.end(); ++it) it.key()->setVisible(it.value());
    m_nothing->setVisible(!isAny);
}

QStringList SettingsDialog::shownRows() const {
    QStringList names;
    for (const Row& row : m_all)
        if (!row.widget->isHidden()) names << row.name;
    return names;
}

}  // namespace espalier::app
