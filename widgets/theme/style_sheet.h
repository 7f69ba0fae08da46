#pragma once

#include <QString>

namespace espalier::widgets {

class Theme;

/// The application's style sheet with every colour from the tokens. `iconFolder` holds the few recoloured icons that
/// a style sheet can only take as files (writeStyleIcons()).
QString makeStyleSheet(const Theme& theme, const QString& iconFolder);

/// Writes check marks and arrows in the colours of the theme as SVG files named after the theme.
void writeStyleIcons(const Theme& theme, const QString& iconFolder);

}  // namespace espalier::widgets
