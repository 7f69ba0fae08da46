#include "app/settings/key_settings.h"

#include <QHBoxLayout>
#include <QToolButton>

#include <algorithm>

#include "app/pages/new_run_row.h"
#include "app/settings/settings.h"
#include "widgets/controls/controls.h"

namespace espalier::app {

namespace {

constexpr int kKeyWidth = 150, kNameWidth = 210;

QString shown(const QList<QKeySequence>& keys) {
    QStringList words;
    for (const QKeySequence& key : keys) words << key.toString(QKeySequence::NativeText);
    return words.join(QStringLiteral(", "));
}

}  // namespace

KeySettings::KeySettings(Settings& settings, const QList<QAction*>& actions,
                         const QHash<QString, QList<QKeySequence>>& defaults, QWidget* rowParent)
    : QObject(rowParent), m_settings(settings), m_defaults(defaults) {
    m_rows.reserve(static_cast<std::size_t>(actions.size()));
    for (QAction* action : actions) addRow(action, rowParent);
    refresh();
    connect(&settings, &Settings::keysChanged, this, &KeySettings::refresh);
}

void KeySettings::addRow(QAction* action, QWidget* parent) {
    Row row;
    row.id = action->objectName();
    row.action = action;
    // Undo and redo carry what they would undo; the name of the setting stays.
    const QString words = row.id == QStringLiteral("undo") ? tr("Undo") : row.id == QStringLiteral("redo") ? tr("Redo") : action->text();
    QString name = words;
    name.remove(u'&').remove(u'…');
    row.form = new FormRow(name, parent);
    row.form->setLabelWidth(kNameWidth);
    auto* holder = new QWidget(row.form);
    auto* line = new QHBoxLayout(holder);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(4);
    row.edit = new QKeySequenceEdit(holder);
    row.edit->setFixedWidth(kKeyWidth);
    row.edit->setAccessibleName(tr("Key of %1").arg(name));
    row.reset = widgets::makeIconButton(QStringLiteral("restore"), tr("Back to the default"), holder);
    row.clear = widgets::makeIconButton(QStringLiteral("close"), tr("No key"), holder);
    line->addWidget(row.edit);
    line->addWidget(row.clear);
    line->addWidget(row.reset);
    holder->setFocusProxy(row.edit);
    row.form->setEditor(holder);
    row.words = name;
    const std::size_t index = m_rows.size();
    m_rows.push_back(row);
    // Not keySequenceChanged: the field empties itself before it takes a key.
    connect(row.edit, &QKeySequenceEdit::editingFinished, this, [this, index] { typed(m_rows[index]); });
    connect(row.clear, &QToolButton::clicked, this, [this, index] { store(m_rows[index], {}); });
    connect(row.reset, &QToolButton::clicked, this, [this, index] {
        m_rows[index].form->setProblem({});
        m_settings.setKeys(m_rows[index].id, std::nullopt);
    });
    connect(row.form, &FormRow::remedyClicked, this, [this, index] { takeFromOther(m_rows[index]); });
}

KeySettings::Row* KeySettings::row(const QString& id) {
    const auto it = std::find_if(m_rows.begin(), m_rows.end(), [&](const Row& row) { return row.id == id; });
    return it == m_rows.end() ? nullptr : &*it;
}

KeySettings::Row* KeySettings::ownerOf(const QKeySequence& key, const Row& except) {
    for (Row& row : m_rows)
        if (&row != &except && row.action->shortcuts().contains(key)) return &row;
    return nullptr;
}

void KeySettings::typed(Row& row) {
    if (m_isWriting) return;
    const QKeySequence pressed = row.edit->keySequence();
    if (pressed == row.action->shortcut()) return row.form->setProblem({});  // the field was only left
    // One stroke a key: a second one starts anew.
    const QKeySequence key = pressed.count() > 1 ? QKeySequence(pressed[static_cast<uint>(pressed.count() - 1)]) : pressed;
    if (key != pressed) {
        m_isWriting = true;
        row.edit->setKeySequence(key);
        m_isWriting = false;
    }
    const Row* owner = key.isEmpty() ? nullptr : ownerOf(key, row);
    if (owner) {
        row.form->setProblem(tr("%1 belongs to “%2”.").arg(key.toString(QKeySequence::NativeText), owner->words.section(u'\n', 0, 0)), tr("Take it from there"));
        return;
    }
    store(row, key);
}

void KeySettings::store(Row& row, const QKeySequence& key) {
    row.form->setProblem({});
    m_settings.setKeys(row.id, key.isEmpty() ? QStringList{} : QStringList{key.toString(QKeySequence::PortableText)});
}

void KeySettings::takeFromOther(Row& row) {
    const QKeySequence key = row.edit->keySequence();
    if (Row* owner = ownerOf(key, row)) {
        QStringList left;
        for (const QKeySequence& each : owner->action->shortcuts())
            if (each != key) left << each.toString(QKeySequence::PortableText);
        m_settings.setKeys(owner->id, left);
    }
    store(row, key);
}

void KeySettings::refresh() {
    m_isWriting = true;
    for (Row& row : m_rows) {
        const QList<QKeySequence> normal = m_defaults.value(row.id);
        const bool isOwn = m_settings.keys(row.id).has_value();
        if (row.form->problem().isEmpty()) row.edit->setKeySequence(row.action->shortcut());
        row.reset->setEnabled(isOwn);
        row.form->setChanged(isOwn);
        row.form->setHint(normal.isEmpty() ? tr("no key by default") : isOwn || normal.size() > 1 ? tr("%1 by default").arg(shown(normal)) : QString());
        row.words = row.words.section(u'\n', 0, 0) + u'\n' + shown(row.action->shortcuts());
    }
    m_isWriting = false;
}

}  // namespace espalier::app
