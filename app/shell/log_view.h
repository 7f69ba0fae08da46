#pragma once

#include <QPlainTextEdit>

#include <memory>

#include "engine/base/log.h"
#include "engine/feed/inbox.h"

namespace espalier::app {

/// The program's log, newest at the bottom, at most 5,000 lines. Lines come from any thread.
class LogView : public QPlainTextEdit {
    Q_OBJECT
public:
    explicit LogView(QWidget* parent = nullptr);
    ~LogView() override;

private:
    void drain();
    struct Shared;
    std::shared_ptr<Shared> m_shared;
};

}  // namespace espalier::app
