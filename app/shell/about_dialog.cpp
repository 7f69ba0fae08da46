#include "app/shell/about_dialog.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "app/pages/page.h"
#include "app/shell/inspector.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using widgets::Color;
using widgets::KeyValue;
using widgets::Type;
using widgets::format::text;

AboutDialog::AboutDialog(AppContext& context, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("About Espalier"));
    setMinimumWidth(520);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 12);
    layout->setSpacing(8);
    layout->addWidget(widgets::makeLabel(QStringLiteral("Espalier"), Type::Heading, Color::Text, this));
    layout->addWidget(widgets::makeLabel(tr("Train, watch and compress models on your own machine. Licence: GPL-3.0-or-later."),
                                         Type::Body, Color::Text2, this));
    m_facts = new widgets::KeyValueList(this);
    layout->addWidget(m_facts);
    layout->addStretch(1);
    auto* buttons = new QHBoxLayout;
    QPushButton* copy = widgets::makeButton(tr("Copy"), QStringLiteral("copy"));
    QPushButton* close = widgets::makeButton(tr("Close"));
    buttons->addStretch(1);
    buttons->addWidget(copy);
    buttons->addWidget(close);
    layout->addLayout(buttons);
    connect(copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_text); });
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    m_facts->setRows({{tr("version"), QString::fromLatin1(ESPALIER_VERSION), {}}, {tr("machine"), tr("being read"), {}}});
    context.bridge->reads().run(
        this, QStringLiteral("machine"), [engine = context.engine] { return engine->machine(); },
        [this](const runtime::MachineReport& machine) { show(machine); });
}

void AboutDialog::show(const runtime::MachineReport& machine) {
    QVector<KeyValue> rows;
    const auto add = [&](const QString& key, const QString& value) {
        if (value.isEmpty()) return;
        rows.append(KeyValue{key, value, {}});
        m_text += key + QStringLiteral(": ") + value + u'\n';
    };
    m_text.clear();
    add(tr("version"), machine.version.empty() ? QString::fromLatin1(ESPALIER_VERSION) : text(machine.version));
    add(tr("LibTorch"), text(machine.torchVersion));
    add(tr("BLAS"), text(machine.blas));
    add(tr("CPU capability"), text(machine.cpuCapability));
    add(tr("processor"), text(machine.cpuName));
    add(tr("cores"), tr("%1, training uses %2 threads").arg(machine.cores).arg(machine.torchThreads));
    add(tr("memory"), widgets::format::bytes(machine.memoryBytes));
    add(tr("CUDA"), text(machine.cudaText));
    for (const std::string& device : machine.devices) add(tr("device"), text(device));
    QStringList missing;
    for (const std::string& wheel : machine.missingGpuWheels) missing << text(wheel);
    add(tr("not installed"), missing.join(QStringLiteral(", ")));
    add(tr("LibTorch folder"), text(machine.libtorchFolder));
    add(tr("Qt"), QString::fromLatin1(qVersion()));
    m_facts->setRows(rows);
    adjustSize();
}

ShortcutsDialog::ShortcutsDialog(const QList<QAction*>& actions, const std::vector<Page*>& pages, const Page* current, QWidget* parent)
    : QDialog(parent) {
    setWindowTitle(tr("Keys"));
    resize(480, 600);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 12, 4, 12);
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 12, 0);
    column->setSpacing(0);
    if (current) addGroup(column, tr("On the page %1").arg(current->title()), current->keyHelp());
    addGroup(column, tr("In a chart"), widgets::chartKeys());
    QVector<widgets::KeyHelp> window;
    for (const QAction* action : actions) {
        QStringList keys;
        for (const QKeySequence& key : action->shortcuts()) keys << key.toString(QKeySequence::NativeText);
        QString words = action->text();
        if (!keys.isEmpty()) window.append({keys.join(QStringLiteral(", ")), words.remove(u'&')});
    }
    addGroup(column, tr("In the window"), window);
    for (const Page* page : pages)
        if (page != current) addGroup(column, tr("On the page %1").arg(page->title()), page->keyHelp());
    column->addStretch(1);
    layout->addWidget(makeInspectorArea(content, this));
}

void ShortcutsDialog::addGroup(QVBoxLayout* column, const QString& title, const QVector<widgets::KeyHelp>& keys) {
    if (keys.isEmpty()) return;
    QLabel* heading = widgets::makeLabel(title, Type::BodyStrong, Color::Text, this);
    heading->setContentsMargins(0, column->count() > 0 ? 12 : 0, 0, 4);
    column->addWidget(heading);
    auto* list = new widgets::KeyValueList(this);
    list->setKeyWidth(180);
    QVector<KeyValue> rows;
    for (const widgets::KeyHelp& key : keys) rows.append(KeyValue{key.keys, key.words, {}});
    list->setRows(rows);
    list->setAccessibleName(title);
    column->addWidget(list);
}

}  // namespace espalier::app
