#pragma once

#include <QStringList>
#include <QWidget>

#include <cstdint>
#include <vector>

#include "app/bridge/app_context.h"
#include "app/pages/new_run_field.h"
#include "engine/api/recipe_card.h"

class QComboBox;

namespace espalier::app {

/// The section "Run" of the New-run form: data, parent, device, seeds, name and tags. Reads lists from the bridge.
class RunTarget : public QWidget {
    Q_OBJECT
public:
    explicit RunTarget(AppContext& context, QWidget* parent = nullptr);

    /// Data and parents that this recipe can take; keeps what is chosen where it still fits.
    void setCard(const api::RecipeCard& card);
    void choose(const QString& dataset, const QString& parentRun);
    void setDevices(const std::vector<std::string>& devices);

    QString dataset() const;      ///< id, empty = that of the parent
    QString datasetName() const;
    QString parentRun() const;    ///< id or path of weights, empty = none
    QString parentName() const;
    QString device() const;       ///< "auto", "cpu", "cuda:0"
    std::vector<std::int64_t> seeds() const;
    void setSeeds(const std::vector<std::int64_t>& seeds);
    QString name() const;
    QStringList tags() const;
    int problemCount() const;
    FormRow* firstWrong() const;

    FormRow* dataRow() const { return m_data; }
    FormRow* parentRow() const { return m_from; }
    FormRow* deviceRow() const { return m_device; }
    FormRow* seedRow() const { return m_seeds; }
    FormRow* nameRow() const { return m_name; }
    FormRow* tagRow() const { return m_tags; }

Q_SIGNALS:
    void edited();

private:
    void fillData();
    void fillParents();
    void check();

    AppContext& m_context;
    api::RecipeCard m_card;
    FormRow *m_data, *m_from, *m_device, *m_seeds, *m_name, *m_tags;
    QComboBox *m_dataBox, *m_fromBox, *m_deviceBox;
    QLineEdit *m_seedLine, *m_nameLine, *m_tagLine;
};

/// "images" for DatasetKind::Images: how feed::DatasetSummary::kind names it.
const char* datasetKindName(api::DatasetKind kind);

}  // namespace espalier::app
