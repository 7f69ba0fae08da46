#pragma once

#include "engine/runlog/compact_layout.h"
#include "engine/runlog/run_file.h"
#include "engine/runlog/table_columns.h"
#include "tests/support/run_log_samples.h"

/// Compacted logs as earlier programs wrote them.
namespace espalier::tests {

/// Takes the column `stride` and the present version out of a run.h5.
inline void makeFormat1(const fs::path& file) {
    auto opened = h5::openFile(file, h5::OpenMode::ReadWrite);
    VERIFY_OK(opened);
    const auto rows = readTable<SeriesRow>(opened->get(), compact::kSeries);
    VERIFY_OK(rows);
    std::vector<std::size_t> widths = exactWidths(*rows, {});
    std::string bytes;
    for (const auto& row : *rows) {
        packRow(bytes, row, widths, {});
        bytes.resize(bytes.size() - widths.back());
    }
    const auto whole = compoundOf<SeriesRow>(widths);
    h5::Handle type(H5Tcreate(H5T_COMPOUND, H5Tget_size(whole.get()) - widths.back()));
    for (int i = 0; i + 1 < H5Tget_nmembers(whole.get()); ++i) {
        char* const name = H5Tget_member_name(whole.get(), unsigned(i));
        h5::Handle member(H5Tget_member_type(whole.get(), unsigned(i)));
        H5Tinsert(type.get(), name, H5Tget_member_offset(whole.get(), unsigned(i)), member.get());
        H5free_memory(name);
    }
    QVERIFY(H5Ldelete(opened->get(), compact::kSeries, H5P_DEFAULT) >= 0);
    h5::DatasetOptions options;
    options.chunkRows = 256;
    options.isCompressed = options.isFixedSize = true;
    options.rows = rows->size();
    auto dataset = h5::createDataset(opened->get(), compact::kSeries, type.get(), options);
    VERIFY_OK(dataset);
    VERIFY_OK(h5::writeRows(dataset->get(), type.get(), 0, rows->size(), bytes.data()));
    QVERIFY(H5Adelete(opened->get(), kVersionAttribute) >= 0);
    VERIFY_OK(h5::writeAttribute(opened->get(), kVersionAttribute, std::int64_t(1)));
}

}  // namespace espalier::tests
