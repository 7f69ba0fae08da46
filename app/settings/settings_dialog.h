#pragma once

#include <QDialog>

#include "app/bridge/app_context.h"

namespace espalier::app {

/// Settings, applied at once.
class SettingsDialog : public QDialog {
    Q_OBJECT
public:
    explicit SettingsDialog(AppContext& context, QWidget* parent = nullptr);
};

}  // namespace espalier::app
