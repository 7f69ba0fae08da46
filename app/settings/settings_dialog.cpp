#include "app/settings/settings_dialog.h"

#include <QCheckBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/settings/settings.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/segmented_control.h"

namespace espalier::app {

using widgets::Color;
using widgets::ThemeKind;
using widgets::Type;

SettingsDialog::SettingsDialog(AppContext& context, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Settings"));
    setMinimumWidth(480);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 12);
    layout->setSpacing(12);
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(10);
    const QList<ThemeKind> kinds{ThemeKind::Dark, ThemeKind::Light, ThemeKind::Contrast, ThemeKind::FollowSystem};
    auto* theme = new widgets::SegmentedControl({tr("Dark"), tr("Light"), tr("High contrast"), tr("As the system")}, this);
    theme->setAccessibleName(tr("Theme"));
    theme->setCurrentIndex(static_cast<int>(kinds.indexOf(widgets::theme().kind())));
    connect(theme, &widgets::SegmentedControl::currentChanged, this, [&context, kinds](int index) {
        widgets::theme().setKind(kinds[index]);
        context.settings->setThemeKind(kinds[index]);
    });
    form->addRow(widgets::makeLabel(tr("Theme"), Type::Body, Color::Text2, this), theme);
    auto* motion = new QCheckBox(tr("Reduce motion"), this);
    motion->setChecked(widgets::theme().isMotionReduced());
    connect(motion, &QCheckBox::toggled, this, [&context](bool isOn) {
        widgets::theme().setMotionReduced(isOn);
        context.settings->setMotionReduced(isOn);
    });
    form->addRow(QString(), motion);
    QLabel* file = widgets::makeLabel(context.settings->file(), Type::Mono, Color::Text3, this);
    file->setTextInteractionFlags(Qt::TextSelectableByMouse);
    file->setWordWrap(true);
    form->addRow(widgets::makeLabel(tr("Kept in"), Type::Body, Color::Text2, this), file);
    layout->addLayout(form);
    layout->addStretch(1);
    auto* buttons = new QHBoxLayout;
    QPushButton* close = widgets::makeButton(tr("Close"));
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    buttons->addStretch(1);
    buttons->addWidget(close);
    layout->addLayout(buttons);
}

}  // namespace espalier::app
