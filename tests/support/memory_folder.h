#pragma once

#include <QFileInfo>

namespace espalier::tests {

/// Temporary folders made after this lie in memory where that is possible: for tests of many small synced files, in which
/// the calls count and not the disk below.
inline void useMemoryFolder() {
    if (QFileInfo(QStringLiteral("/dev/shm")).isWritable()) qputenv("TMPDIR", "/dev/shm");
}

}  // namespace espalier::tests
